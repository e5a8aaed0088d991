// What verification needs, and what a sender's contract wants beside it: only the former fails verification.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "engine/source/encoding.h"
#include "engine/source/explanation.h"
#include "engine/source/keyed_hash.h"
#include "engine/source/scheme.h"
#include "tests/unit/source/support.h"
#include "tests/vectors/signed_rows.h"
#include "tests/vectors/vector_row.h"

namespace weir::source {
namespace {

void Drop(OwnedRequest& request, std::string_view name) {
  std::erase_if(request.headers,
                [name](const auto& field) { return http::EqualsIgnoreCase(field.first, name); });
}

void Set(OwnedRequest& request, std::string_view name, std::string_view value) {
  Drop(request, name);
  request.headers.emplace_back(name, value);
}

CapturedRequest CapturedOf(const OwnedRequest& request) {
  return {
      .method = request.method, .target = request.target, .headers = request.headers, .body = request.body};
}

Rejected RejectionOf(const Source& source, OwnedRequest request) {
  Verifier verifier(1);
  const Verdict verdict = verifier.Verify(source, request.View(), kNowUs);
  const auto* rejected = std::get_if<Rejected>(&verdict);
  EXPECT_NE(rejected, nullptr);
  return rejected != nullptr ? *rejected : Rejected{};
}

Source Box() {
  return SourceOf("box", {"primary key of box", "secondary key of box"});
}

constexpr std::string_view kBoxBody = R"({"id":"1","trigger":"FILE.UPLOADED"})";
constexpr std::string_view kHubspotBody = R"([{"eventId":1,"subscriptionType":"contact.creation"}])";

TEST(ContractFields, ShopifysComplianceWebhooksComeWithoutVersionAndDomain) {
  const Source source = SourceOf("shopify", {"s"});
  OwnedRequest request = Signed(source, R"({"shop_id":1})", kNowS, "w1", "customers/redact");
  Drop(request, "x-shopify-api-version");
  Drop(request, "x-shopify-shop-domain");
  EXPECT_EQ(AnswerTo(source, request), "accepted");
}

TEST(ContractFields, AMissingOneIsA400AndNamesTheField) {
  for (const std::string_view name : {"box-signature-version", "box-signature-algorithm"}) {
    OwnedRequest request = Signed(Box(), std::string(kBoxBody));
    Drop(request, name);
    const Rejected rejected = RejectionOf(Box(), request);
    EXPECT_EQ(RejectCode(rejected.reason), "missing_field");
    EXPECT_EQ(rejected.status, 400);
    EXPECT_NE(rejected.detail.find(name), std::string::npos) << rejected.detail;
  }
}

TEST(ContractFields, AnotherValueIsNoBetterThanNone) {
  OwnedRequest request = Signed(Box(), std::string(kBoxBody));
  Set(request, "box-signature-version", "2");
  EXPECT_EQ(AnswerTo(Box(), request), "missing_field");
}

TEST(ContractFields, AreLookedAtOnlyOnceTheSignatureHolds) {
  OwnedRequest request = Signed(Box(), std::string(kBoxBody));
  Drop(request, "box-signature-version");
  request.body += ' ';
  EXPECT_EQ(AnswerTo(Box(), request), "invalid_signature");
}

TEST(ContractFields, TheSignatureTellsProofsApartWhereTheirFieldIsMissing) {
  for (const char* version : {"v1", "v2"}) {
    const Source source = SourceOf("hubspot", {"s"});
    OwnedRequest request;
    request.body = kHubspotBody;
    const std::string text = std::string("s") +
                             (version == std::string_view("v2") ? "POST" + source.public_url : "") +
                             request.body;
    std::string signature;
    AppendHex(signature, Sha256Of(text).view());
    request.headers = {{"X-HubSpot-Signature", signature}};
    EXPECT_EQ(AnswerTo(source, request), "accepted") << version;
    Set(request, "X-HubSpot-Signature-Version", version);
    EXPECT_EQ(AnswerTo(source, request), "accepted") << version;
    Set(request, "X-HubSpot-Signature-Version", "v9");
    EXPECT_EQ(AnswerTo(source, request), "malformed_signature") << version;
  }
}

TEST(ContractFields, ASignatureOfTheBetterProofIsNeverPassedOver) {
  const Source source = SourceOf("hubspot", {"s"});
  OwnedRequest request = Signed(source, std::string(kHubspotBody));
  std::string v1;
  AppendHex(v1, Sha256Of("s" + request.body).view());
  Set(request, "x-hubspot-signature-v3", "AAAA");
  Set(request, "X-HubSpot-Signature", v1);
  EXPECT_EQ(AnswerTo(source, request), "invalid_signature");
}

TEST(ContractFields, ATimeInsideTheSignedBodyIsAFieldOfTheContract) {
  const Source source = SourceOf("linear", {"s"});
  for (const char* body :
       {R"({"type":"Issue"})", R"({"webhookTimestamp":"1767225600000"})", R"({"webhookTimestamp":true})",
        R"({"webhookTimestamp":null})", R"({"webhookTimestamp":{}})"}) {
    OwnedRequest request = Signed(source, body);
    EXPECT_EQ(AnswerTo(source, request), "missing_field") << body;
    request.body += ' ';
    EXPECT_EQ(AnswerTo(source, request), "invalid_signature") << body;
  }
}

TEST(ContractFields, AnAuthenticBodyOfAnotherFormIsAMalformedPayload) {
  const Source shopify = SourceOf("shopify", {"s"});
  EXPECT_EQ(AnswerTo(shopify, Signed(shopify, "")), "malformed_payload");
  const Source slack = SourceOf("slack", {"s"});
  EXPECT_EQ(AnswerTo(slack, Signed(slack, R"({"type":"url_verification"})")), "malformed_payload");
  const Source typed = SourceOf(SchemeFrom(R"(
    algorithm = "hmac-sha256"
    signature = { header = "x-sig" }
    signed = "{body}"
    event_id = { json = "/id" }
    content_types = ["application/json"]
  )"),
                                {"s"});
  OwnedRequest request = Signed(typed, "{}");
  Set(request, "content-type", "text/plain");
  EXPECT_EQ(AnswerTo(typed, request), "malformed_payload");
}

// Event Grid gives an event up for good at a 400.
TEST(ContractFields, AreAnsweredAsTheSenderTakesARefusal) {
  const Source source = SourceOf(SchemeFrom(R"(
    algorithm = "token"
    signature = { header = "x-token" }
    event_id = { json = "/id" }
    body_required = true
    rejected = { stale = 401 }
  )"),
                                 {"s"});
  EXPECT_EQ(RejectionOf(source, Signed(source, "")).status, 401);
}

bool ExpectedEqualsReceived(const Explanation& explanation) {
  return std::ranges::any_of(explanation.proofs, [](const SignedView& view) {
    return std::ranges::any_of(view.expected, [&view](const ExpectedSignature& expected) {
      return std::ranges::find(view.received, expected.masked) != view.received.end();
    });
  });
}

// Every field of every kind, taken away and made into something else.
TEST(ContractFields, ExplainNeverBlamesTheSecretWhereItMatches) {
  unsigned tried = 0;
  for (const vectors::VectorRow& row : vectors::SignedRows()) {
    const auto source = vectors::SourceOf(row);
    ASSERT_TRUE(source) << row.provider;
    OwnedRequest whole;
    whole.method = row.method;
    whole.target = row.target;
    whole.headers = {row.headers.begin(), row.headers.end()};
    whole.body = row.body;
    for (std::size_t i = 0; i < whole.headers.size(); ++i) {
      for (const bool dropped : {true, false}) {
        OwnedRequest request = whole;
        request.headers[i].second = "x";
        if (dropped) request.headers.erase(request.headers.begin() + static_cast<std::ptrdiff_t>(i));
        const Explanation explanation = Explain(*source, {}, CapturedOf(request), kNowUs);
        if (explanation.authentic) continue;
        ++tried;
        EXPECT_FALSE(explanation.cause.empty() && explanation.findings.empty()) << row.provider;
        if (ExpectedEqualsReceived(explanation)) {
          EXPECT_EQ(explanation.cause.find("another secret"), std::string::npos)
              << row.provider << " " << whole.headers[i].first << ": " << explanation.cause;
        }
      }
    }
  }
  EXPECT_GT(tried, 60U);
}

}  // namespace
}  // namespace weir::source
