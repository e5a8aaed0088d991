#include "engine/source/verifier.h"

#include <gtest/gtest.h>

#include "engine/source/scheme.h"
#include "tests/unit/source/support.h"

namespace weir::source {
namespace {

constexpr std::string_view kBody = R"({"id":"evt_1","type":"thing.done"})";

Source Stripe() {
  return SourceOf("stripe", {"whsec_current"});
}
Source Github() {
  return SourceOf("github", {"It's a Secret to Everybody"});
}

std::string& Header(OwnedRequest& request, std::string_view name) {
  for (auto& [field, value] : request.headers) {
    if (http::EqualsIgnoreCase(field, name)) return value;
  }
  request.headers.emplace_back(name, "");
  return request.headers.back().second;
}

void Drop(OwnedRequest& request, std::string_view name) {
  std::erase_if(request.headers,
                [name](const auto& field) { return http::EqualsIgnoreCase(field.first, name); });
}

TEST(Verifier, AcceptsWhatTheSenderSigned) {
  const Source source = Stripe();
  OwnedRequest request = Signed(source, std::string(kBody));
  Verifier verifier(1);
  const http::Request& view = request.View();
  const Verdict verdict = verifier.Verify(source, view, kNowUs);
  ASSERT_EQ(AnswerOf(verdict), "accepted");
  const auto& accepted = std::get<Accepted>(verdict);
  EXPECT_EQ(accepted.secret_index, 0U);
  ASSERT_EQ(accepted.events->size(), 1U);
  EXPECT_EQ(accepted.events->front().id, "evt_1");
  EXPECT_EQ(accepted.events->front().type, "thing.done");
  EXPECT_EQ(accepted.events->front().body.data(), view.body.data());
}

TEST(Verifier, AMissingSignatureIsMissing) {
  OwnedRequest request = Signed(Stripe(), std::string(kBody));
  Drop(request, "stripe-signature");
  EXPECT_EQ(AnswerTo(Stripe(), request), "missing_signature");
}

TEST(Verifier, AMissingTimestampFieldIsAMissingSignature) {
  const Source slack = SourceOf("slack", {"8f742231b10e8888abcd99yyyzzz85a5"});
  OwnedRequest request = Signed(slack, std::string(kBody));
  Drop(request, "x-slack-request-timestamp");
  EXPECT_EQ(AnswerTo(slack, request), "missing_signature");
}

TEST(Verifier, ASignatureOfAnotherFormIsMalformed) {
  for (const char* text : {"", "sha256=", "sha256=zz", "sha1=abcd", "abcdef", "SHA256=00", "sha256 =00"}) {
    OwnedRequest request = Signed(Github(), std::string(kBody));
    Header(request, "x-hub-signature-256") = text;
    EXPECT_EQ(AnswerTo(Github(), request), "malformed_signature") << text;
  }
}

TEST(Verifier, AnotherSecretsSignatureIsInvalid) {
  OwnedRequest request = Signed(SourceOf("github", {"another"}), std::string(kBody));
  EXPECT_EQ(AnswerTo(Github(), request), "invalid_signature");
}

TEST(Verifier, AChangedBodyIsInvalid) {
  OwnedRequest request = Signed(Github(), std::string(kBody));
  request.body += '\n';
  EXPECT_EQ(AnswerTo(Github(), request), "invalid_signature");
}

TEST(Verifier, ARepeatedFieldIsMalformedWhicheverLineIsRight) {
  for (const char* name : {"x-slack-signature", "x-slack-request-timestamp"}) {
    const Source slack = SourceOf("slack", {"8f742231b10e8888abcd99yyyzzz85a5"});
    OwnedRequest request = Signed(slack, std::string(kBody));
    request.headers.emplace_back(name, Header(request, name));
    EXPECT_EQ(AnswerTo(slack, request), "malformed_signature") << name;
  }
}

TEST(Verifier, ARepeatedIdFieldThatIsSignedIsMalformed) {
  const Source svix = SourceOf("svix", {"whsec_c3RhbmRhcmQtd2ViaG9va3MtdGVzdC1rZXktMzJieXRl"});
  OwnedRequest request = Signed(svix, std::string(kBody));
  request.headers.emplace_back("svix-id", "evt_2");
  EXPECT_EQ(AnswerTo(svix, request), "malformed_signature");
}

TEST(Verifier, ARepeatedIdFieldThatIsNotSignedMakesTheEventMalformed) {
  OwnedRequest request = Signed(Github(), std::string(kBody));
  request.headers.emplace_back("x-github-delivery", "another");
  Verifier verifier(1);
  const Verdict verdict = verifier.Verify(Github(), request.View(), kNowUs);
  ASSERT_EQ(AnswerOf(verdict), "accepted");
  EXPECT_NE(std::get<Accepted>(verdict).events->front().malformed, "");
}

TEST(Verifier, ToleranceHoldsInBothDirectionsAndToTheSecond) {
  const Source source = Stripe();
  const OwnedRequest request = Signed(source, std::string(kBody));
  constexpr std::int64_t kSecond = 1'000'000;
  EXPECT_EQ(AnswerTo(source, request, kNowUs + 300 * kSecond), "accepted");
  EXPECT_EQ(AnswerTo(source, request, kNowUs + 301 * kSecond), "stale_timestamp");
  EXPECT_EQ(AnswerTo(source, request, kNowUs - 300 * kSecond), "accepted");
  EXPECT_EQ(AnswerTo(source, request, kNowUs - 301 * kSecond), "stale_timestamp");
}

TEST(Verifier, ASourcesToleranceReplacesTheKinds) {
  Source source = Stripe();
  source.tolerance_s = 10;
  const OwnedRequest request = Signed(source, std::string(kBody));
  EXPECT_EQ(AnswerTo(source, request, kNowUs + 11'000'000), "stale_timestamp");
  source.tolerance_s = 1000;
  EXPECT_EQ(AnswerTo(source, request, kNowUs + 999'000'000), "accepted");
}

TEST(Verifier, OnlyAnAuthenticRequestIsCalledStale) {
  OwnedRequest request = Signed(Stripe(), std::string(kBody));
  request.body += ' ';
  EXPECT_EQ(AnswerTo(Stripe(), request, kNowUs + 3'600'000'000), "invalid_signature");
}

TEST(Verifier, ExtremeTimestampsAreNeverAccepted) {
  for (const std::int64_t at : {std::int64_t{0}, std::int64_t{1}, std::int64_t{999'999'999'999}}) {
    EXPECT_EQ(AnswerTo(Stripe(), Signed(Stripe(), std::string(kBody), at)), "stale_timestamp") << at;
  }
}

TEST(Verifier, AnySecretMayMatchAndTheOneThatDidIsNamed) {
  const Source source = SourceOf("github", {"new", "old", "older"});
  Verifier verifier(1);
  for (std::uint32_t i = 0; i < 3; ++i) {
    OwnedRequest request = Signed(SourceOf("github", {source.secrets[i]}), std::string(kBody));
    const Verdict verdict = verifier.Verify(source, request.View(), kNowUs);
    ASSERT_EQ(AnswerOf(verdict), "accepted");
    EXPECT_EQ(std::get<Accepted>(verdict).secret_index, i);
  }
}

TEST(Verifier, AnyOfSeveralSignaturesMayMatch) {
  OwnedRequest request = Signed(Stripe(), std::string(kBody));
  std::string& field = Header(request, "stripe-signature");
  const std::string good = field.substr(field.find(",v1=") + 4);
  const std::string bad(64, '0');
  field = "t=" + std::to_string(kNowS) + ",v1=" + bad + ",v0=" + good + ",v1=" + good;
  EXPECT_EQ(AnswerTo(Stripe(), request), "accepted");
  Header(request, "stripe-signature") = "t=" + std::to_string(kNowS) + ",v1=" + bad + ",v0=" + good;
  EXPECT_EQ(AnswerTo(Stripe(), request), "invalid_signature");
}

TEST(Verifier, SignaturesPastTheLimitAreMalformed) {
  OwnedRequest request = Signed(Stripe(), std::string(kBody));
  std::string& field = Header(request, "stripe-signature");
  for (std::size_t i = 0; i < limits::kSignaturesPerRequestMax; ++i) field += ",v1=00";
  EXPECT_EQ(AnswerTo(Stripe(), request), "malformed_signature");
}

TEST(Verifier, ABodyInAContentEncodingIsRefusedUnread) {
  OwnedRequest request = Signed(Github(), std::string(kBody));
  Header(request, "content-encoding") = "gzip";
  EXPECT_EQ(AnswerTo(Github(), request), "unsupported_encoding");
  Header(request, "content-encoding") = "identity";
  EXPECT_EQ(AnswerTo(Github(), request), "accepted");
}

TEST(Verifier, AMethodTheSenderNeverUsesIsNotAllowed) {
  OwnedRequest request = Signed(Github(), std::string(kBody));
  request.method = "PUT";
  EXPECT_EQ(AnswerTo(Github(), request), "method_not_allowed");
  EXPECT_EQ(AllowedMethods(*Github().scheme), "POST");
  EXPECT_EQ(AllowedMethods(*FindKind("meta")->scheme), "GET, POST");
}

TEST(Verifier, ASourceWithoutAUsableSecretAcceptsNothing) {
  const OwnedRequest request = Signed(Github(), std::string(kBody));
  EXPECT_EQ(AnswerTo(SourceOf("github", {}), request), "invalid_signature");
  EXPECT_EQ(AnswerTo(SourceOf("github", {""}), request), "invalid_signature");
}

TEST(Verifier, ChangedSecretsTakeEffectWithTheTableThatBringsThem) {
  Verifier verifier(1);
  const auto table_of = [](const char* secret) {
    std::vector<Source> sources;
    sources.push_back(SourceOf("github", {secret}));
    return SourceTable(std::move(sources));
  };
  const SourceTable before = table_of("before");
  const SourceTable after = table_of("after");
  OwnedRequest request = Signed(before.sources().front(), std::string(kBody));
  EXPECT_EQ(AnswerOf(verifier.Verify(before.sources().front(), request.View(), kNowUs)), "accepted");
  EXPECT_EQ(AnswerOf(verifier.Verify(after.sources().front(), request.View(), kNowUs)), "invalid_signature");
  verifier.Retain(after);
  EXPECT_EQ(AnswerOf(verifier.Verify(before.sources().front(), request.View(), kNowUs)), "accepted");
}

TEST(Verifier, TheStatusOfARejectionIsTheKinds) {
  OwnedRequest request = Signed(Github(), std::string(kBody));
  request.body += '!';
  Verifier verifier(1);
  const Verdict github = verifier.Verify(Github(), request.View(), kNowUs);
  EXPECT_EQ(std::get<Rejected>(github).status, 401);
  EXPECT_FALSE(std::get<Rejected>(github).without_body);
  const Verdict xero = verifier.Verify(SourceOf("xero", {"key"}), request.View(), kNowUs);
  EXPECT_EQ(std::get<Rejected>(xero).status, 401);
  EXPECT_TRUE(std::get<Rejected>(xero).without_body);
}

TEST(Verifier, FixedFieldsOfAContractAreChecked) {
  const Source box = SourceOf("box", {"primary-key", "secondary-key"});
  OwnedRequest request = Signed(box, R"({"id":"1","trigger":"FILE.UPLOADED"})");
  ASSERT_EQ(AnswerTo(box, request), "accepted");
  Header(request, "box-signature-version") = "2";
  EXPECT_EQ(AnswerTo(box, request), "missing_field");
}

TEST(Verifier, AKeyOfOneSlotDoesNotServeAnother) {
  const Source box = SourceOf("box", {"primary-key", "secondary-key"});
  OwnedRequest request = Signed(box, R"({"id":"1","trigger":"FILE.UPLOADED"})");
  const std::string signature = Header(request, "box-signature-primary");
  Drop(request, "box-signature-primary");
  request.headers.emplace_back("box-signature-secondary", signature);
  EXPECT_EQ(AnswerTo(box, request), "invalid_signature");
  EXPECT_EQ(AnswerTo(SourceOf("box", {"secondary-key", "primary-key"}), request), "accepted");
}

TEST(Verifier, ATokenIsComparedWhole) {
  const Source gitlab = SourceOf("gitlab", {"gitlab-token"});
  OwnedRequest request = Signed(gitlab, R"({"object_kind":"push"})");
  EXPECT_EQ(AnswerTo(gitlab, request), "accepted");
  for (const char* token : {"gitlab-toke", "gitlab-token ", "gitlab-tokem", ""}) {
    Header(request, "x-gitlab-token") = token;
    EXPECT_NE(AnswerTo(gitlab, request), "accepted") << token;
  }
}

TEST(Verifier, ASigningTokenIsNoBearerToken) {
  const Source gitlab = SourceOf("gitlab", {"whsec_c3RhbmRhcmQtd2ViaG9va3MtdGVzdC1rZXktMzJieXRl"});
  OwnedRequest request;
  request.body = R"({"object_kind":"push"})";
  request.headers = {{"X-Gitlab-Token", gitlab.secrets[0]}};
  EXPECT_EQ(AnswerTo(gitlab, request), "invalid_signature");
}

// A replay whose id could be changed would be a new event.
TEST(Verifier, AnIdOfTheOtherFamilyDoesNotRenameASignedEvent) {
  const Source svix = SourceOf("svix", {"whsec_c3RhbmRhcmQtd2ViaG9va3MtdGVzdC1rZXktMzJieXRl"});
  OwnedRequest request = Signed(svix, std::string(kBody));
  for (auto& [name, value] : request.headers) {
    if (name.starts_with("svix-")) name = "webhook-" + name.substr(5);
  }
  request.headers.emplace_back("svix-id", "forged");
  Verifier verifier(1);
  const Verdict verdict = verifier.Verify(svix, request.View(), kNowUs);
  ASSERT_EQ(AnswerOf(verdict), "accepted");
  EXPECT_EQ(std::get<Accepted>(verdict).events->front().id, "evt_1");
}

TEST(Verifier, NumberedFieldsAreReadUntilOneIsMissing) {
  const Source docusign = SourceOf("docusign", {"key-a", "key-b"});
  OwnedRequest request =
      Signed(docusign, R"({"event":"e","generatedDateTime":"t","data":{"envelopeId":"x"}})");
  const std::string good = Header(request, "x-docusign-signature-1");
  Header(request, "x-docusign-signature-1") = "AAAA";
  request.headers.emplace_back("X-DocuSign-Signature-2", good);
  EXPECT_EQ(AnswerTo(docusign, request), "accepted");
  Drop(request, "x-docusign-signature-1");
  EXPECT_EQ(AnswerTo(docusign, request), "missing_signature");
}

TEST(Verifier, CustomSchemesTakeBasicCredentials) {
  const auto scheme = SchemeFrom(R"(
algorithm = "basic"
signature = { header = "Authorization", prefix = "Basic ", encoding = "base64" }
event_id = { json = "/id" }
)");
  ASSERT_TRUE(scheme);
  const Source source = SourceOf(scheme, {"user:pass"});
  OwnedRequest request;
  request.body = kBody;
  request.headers = {{"Authorization", "Basic dXNlcjpwYXNz"}};
  EXPECT_EQ(AnswerTo(source, request), "accepted");
  request.headers = {{"Authorization", "Basic dXNlcjpwYXN0"}};
  EXPECT_EQ(AnswerTo(source, request), "invalid_signature");
}

}  // namespace
}  // namespace weir::source
