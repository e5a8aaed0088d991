#include "engine/source/explanation.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <algorithm>
#include <optional>

#include "engine/source/scheme.h"
#include "tests/unit/source/support.h"

namespace weir::source {
namespace {

constexpr std::string_view kBody = R"({"id":"evt_1","type":"thing.done","name":"caf\u00e9"})";
constexpr std::string_view kSecret = "whsec_current";

Source Named(std::string_view kind, std::vector<std::string> secrets, std::string name = "test") {
  Source source = SourceOf(kind, std::move(secrets));
  source.name = std::move(name);
  return source;
}

CapturedRequest Captured(const Source& source, std::string body, std::int64_t at_unix_s = kNowS) {
  OwnedRequest signed_request = Signed(source, std::move(body), at_unix_s);
  return {.method = signed_request.method,
          .target = signed_request.target,
          .headers = std::move(signed_request.headers),
          .body = std::move(signed_request.body)};
}

std::string& HeaderOf(CapturedRequest& request, std::string_view name) {
  return std::ranges::find_if(request.headers,
                              [name](const auto& field) { return http::EqualsIgnoreCase(field.first, name); })
      ->second;
}

std::string FindingOf(const Explanation& explanation, Mistake mistake) {
  const auto found = std::ranges::find(explanation.findings, mistake, &Finding::mistake);
  return found == explanation.findings.end() ? "" : found->text;
}

// The only mistake found, and what is said about it.
void ExpectOnly(const Explanation& explanation, Mistake mistake, std::string_view part) {
  EXPECT_FALSE(explanation.authentic);
  ASSERT_EQ(explanation.findings.size(), 1U);
  EXPECT_EQ(explanation.findings.front().mistake, mistake);
  EXPECT_NE(explanation.findings.front().text.find(part), std::string::npos)
      << explanation.findings.front().text;
}

std::string Gzipped(std::string_view text) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY),
            Z_OK);
  std::string in(text);
  std::string out(in.size() + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(in.data());
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

TEST(Explanation, ShowsWhatAnAuthenticRequestSigned) {
  const Source source = Named("stripe", {"whsec_other", std::string(kSecret)});
  Source sender = CopyOf(source);
  sender.secrets = {std::string(kSecret)};
  const Explanation explained = Explain(source, {}, Captured(sender, std::string(kBody)), kNowUs);
  EXPECT_TRUE(explained.authentic);
  EXPECT_EQ(explained.verdict, "accepted");
  EXPECT_EQ(explained.secret, 1U);
  EXPECT_TRUE(explained.findings.empty());
  ASSERT_EQ(explained.proofs.size(), 1U);
  const SignedView& proof = explained.proofs.front();
  ASSERT_EQ(proof.texts.size(), 1U);
  EXPECT_EQ(proof.texts.front(), std::to_string(kNowS) + "." + std::string(kBody));
  ASSERT_EQ(proof.received.size(), 1U);
  ASSERT_EQ(proof.expected.size(), 2U);
  EXPECT_NE(proof.expected[0].masked, proof.received[0]);
  EXPECT_EQ(proof.expected[1].masked, proof.received[0]);
}

TEST(Explanation, ShowsNoSignatureWholeAndNoToken) {
  const Source stripe = Named("stripe", {std::string(kSecret)});
  CapturedRequest request = Captured(stripe, std::string(kBody));
  const std::string signature = HeaderOf(request, "stripe-signature");
  const std::string hex = signature.substr(signature.find("v1=") + 3);
  const Explanation explained = Explain(stripe, {}, request, kNowUs);
  EXPECT_TRUE(hex.starts_with(explained.proofs.front().received.front().substr(0, 8)));
  EXPECT_EQ(explained.proofs.front().received.front().find(hex), std::string::npos);

  const Source gitlab = Named("gitlab", {"a static token of some length"});
  CapturedRequest wrong = Captured(gitlab, std::string(kBody));
  HeaderOf(wrong, "x-gitlab-token") = "another token that is even longer";
  const Explanation refused = Explain(gitlab, {}, wrong, kNowUs);
  EXPECT_EQ(refused.verdict, "invalid_signature");
  for (const SignedView& proof : refused.proofs) {
    for (const std::string& received : proof.received)
      EXPECT_TRUE(received.starts_with("(hidden")) << received;
    EXPECT_TRUE(proof.expected.empty());
  }
}

// What the listener refuses is never said to be authentic, nor to lack a signature.
TEST(Explanation, NamesWhatIsRefusedBeforeItIsVerified) {
  const Source source = Named("stripe", {std::string(kSecret)});
  const CapturedRequest good = Captured(source, std::string(kBody));
  const struct {
    std::string line;
    std::string_view verdict;
    int status;
  } cases[] = {{"Content-Length: abc", "bad_content_length", 400},
               {"Transfer-Encoding: gzip", "bad_transfer_encoding", 400},
               {"Expect: more", "expectation_failed", 417}};
  for (const auto& refused : cases) {
    std::string text = "POST /webhooks/test HTTP/1.1\n" + refused.line + "\n";
    for (const auto& [name, value] : good.headers) text.append(name).append(": ").append(value).append("\n");
    const auto captured = ParseCapture(text + "\n" + std::string(kBody));
    ASSERT_TRUE(captured) << captured.error();
    const Explanation explanation = Explain(source, {}, *captured, kNowUs);
    EXPECT_FALSE(explanation.authentic);
    EXPECT_EQ(explanation.verdict, refused.verdict);
    EXPECT_EQ(explanation.status, refused.status);
    EXPECT_FALSE(explanation.cause.empty());
  }
}

TEST(Explanation, SaysThatTheSourceRejectsWhatHasNoUsableEvent) {
  Source source = Named("stripe", {std::string(kSecret)});
  const CapturedRequest request = Captured(source, R"({"type":"thing.done"})");
  EXPECT_TRUE(Explain(source, {}, request, kNowUs).authentic);
  source.reject_malformed = true;
  const Explanation explanation = Explain(source, {}, request, kNowUs);
  EXPECT_FALSE(explanation.authentic);
  EXPECT_EQ(explanation.verdict, "malformed_payload");
  EXPECT_EQ(explanation.status, 400);
  EXPECT_NE(explanation.cause.find("no event id"), std::string::npos) << explanation.cause;
}

TEST(Explanation, NamesASignatureInCapitals) {
  const Source source = Named("github", {"a secret"});
  CapturedRequest request = Captured(source, std::string(kBody));
  std::string& signature = HeaderOf(request, "x-hub-signature-256");
  const auto digits = signature.begin() + static_cast<std::ptrdiff_t>(signature.find('=') + 1);
  std::transform(digits, signature.end(), digits,
                 [](char c) { return c >= 'a' ? static_cast<char>(c - 32) : c; });
  ExpectOnly(Explain(source, {}, request, kNowUs), Mistake::kEncoding, "capitals");
}

TEST(Explanation, NamesABodyPastTheLimitOfItsSource) {
  Source source = Named("stripe", {std::string(kSecret)});
  const CapturedRequest good = Captured(source, std::string(kBody));
  source.body_bytes_max = kBody.size() - 1;
  EXPECT_EQ(Explain(source, {}, good, kNowUs).verdict, "body_too_large");
  source.body_bytes_max = kBody.size();
  EXPECT_TRUE(Explain(source, {}, good, kNowUs).authentic);
}

TEST(Explanation, SaysNothingOfAForgery) {
  const Source source = Named("stripe", {std::string(kSecret)});
  CapturedRequest request = Captured(Named("stripe", {"whsec_forger"}), std::string(kBody));
  const Explanation explained = Explain(source, {}, request, kNowUs);
  EXPECT_EQ(explained.verdict, "invalid_signature");
  EXPECT_EQ(explained.status, 401);
  EXPECT_TRUE(explained.findings.empty());
}

TEST(Explanation, FindsAClockOutsideTheTolerance) {
  const Source source = Named("stripe", {std::string(kSecret)});
  const Explanation old = Explain(source, {}, Captured(source, std::string(kBody), kNowS - 3600), kNowUs);
  EXPECT_EQ(old.verdict, "stale_timestamp");
  ExpectOnly(old, Mistake::kClock, "3600 s later; the tolerance is 300 s back");
  ExpectOnly(Explain(source, {}, Captured(source, std::string(kBody), kNowS + 900), kNowUs), Mistake::kClock,
             "900 s earlier");
}

// The time of Linear stands in the body as a number, which is in no other unit.
TEST(Explanation, FindsAClockOutsideTheToleranceOfATimeInTheBody) {
  const Source source = Named("linear", {"key"});
  const std::string body = R"({"type":"a","webhookTimestamp":)" + std::to_string((kNowS - 3600) * 1000) + "}";
  ExpectOnly(Explain(source, {}, Captured(source, body), kNowUs), Mistake::kClock, "3600 s later");
}

TEST(Explanation, SaysThatTheCaptureIsCutShort) {
  const Source source = Named("github", {"key"});
  const CapturedRequest whole = Captured(source, std::string(kBody));
  std::string text = "POST /webhooks/test HTTP/1.1\nContent-Length: " + std::to_string(kBody.size()) + "\n";
  for (const auto& [name, value] : whole.headers) text.append(name).append(": ").append(value).append("\n");
  const auto cut = ParseCapture(text + "\n" + std::string(kBody.substr(0, 20)));
  ASSERT_TRUE(cut);
  EXPECT_NE(Explain(source, {}, *cut, kNowUs).cause.find("less of the body than was sent"),
            std::string::npos);
}

TEST(Explanation, FindsATimestampInAnotherUnit) {
  const std::string scheme = R"(
algorithm = "hmac-sha256"
signature = { header = "X-Sig", encoding = "hex" }
signed = "{timestamp}.{body}"
event_id = { json = "/id" }
timestamp = { header = "X-Time", unit = )";
  const Source seconds = SourceOf(SchemeFrom(scheme + R"("s" })"), {std::string(kSecret)});
  const Source milliseconds = SourceOf(SchemeFrom(scheme + R"("ms" })"), {std::string(kSecret)});
  ExpectOnly(Explain(seconds, {}, Captured(milliseconds, std::string(kBody)), kNowUs), Mistake::kClock,
             "in milliseconds");
}

TEST(Explanation, FindsASecretOfAnotherSource) {
  std::vector<Source> configured;
  configured.push_back(Named("stripe", {std::string(kSecret)}));
  configured.push_back(Named("stripe", {"whsec_old", "whsec_staging"}, "staging"));
  Source sender = Named("stripe", {"whsec_staging"});
  const Explanation explained =
      Explain(configured.front(), configured, Captured(sender, std::string(kBody)), kNowUs);
  ExpectOnly(explained, Mistake::kOtherSecret, "secret 1 of source \"staging\"");
}

TEST(Explanation, FindsASecretInTheWrongPlaceOfItsSet) {
  const Source source = Named("box", {"primary key of box", "secondary key of box"});
  const Source sender = Named("box", {"secondary key of box", "primary key of box"});
  const Explanation explained = Explain(source, {}, Captured(sender, std::string(kBody)), kNowUs);
  ExpectOnly(explained, Mistake::kOtherSecret, "in another place");
}

TEST(Explanation, FindsASecretThatLostItsNewlineOrWasDecoded) {
  const Source source = Named("github", {"a secret"});
  ExpectOnly(Explain(source, {}, Captured(Named("github", {"a secret\n"}), std::string(kBody)), kNowUs),
             Mistake::kSecretText, "ends with a newline");
  ExpectOnly(Explain(Named("github", {"'a secret'"}), {}, Captured(source, std::string(kBody)), kNowUs),
             Mistake::kSecretText, "in quotes");
  const Source decoded = Named("github", {"YSBzZWNyZXQ="});
  ExpectOnly(Explain(decoded, {}, Captured(source, std::string(kBody)), kNowUs), Mistake::kSecretText,
             "decoded from base64");
}

TEST(Explanation, FindsTheTextsThatASecretIsMistakenFor) {
  const struct {
    std::string configured;
    std::string senders;
    std::string_view says;
  } cases[] = {{"Abc12345", "abc12345", "in small letters"},
               {"abc12345", "ABC12345", "in capitals"},
               {" abc12345", "abc12345", "begins or ends with a line end or space"},
               {"abc12345", " abc12345", "begins with a space"},
               {"abc12345", "abc12345 ", "ends with a space"},
               {"abc12345", "abc12345\r\n", "ends with a line end (CRLF)"},
               {"abc12345", "\"abc12345\"", "stands in quotes"},
               {"abc12345", "'abc12345'", "stands in single quotes"},
               {" 'abc12345' ", "abc12345", "configured secret stands in quotes"},
               {"GITHUB_SECRET=abc12345", "abc12345", "a name, \"=\""}};
  for (const auto& mistaken : cases) {
    const CapturedRequest sent = Captured(Named("github", {mistaken.senders}), std::string(kBody));
    ExpectOnly(Explain(Named("github", {mistaken.configured}), {}, sent, kNowUs), Mistake::kSecretText,
               mistaken.says);
  }
}

TEST(Explanation, FindsAnotherHashUnderTheHmac) {
  const auto scheme = [](std::string_view algorithm) {
    return SchemeFrom("algorithm = '" + std::string(algorithm) +
                      "'\nsigned = '{body}'\nsignature = { header = 'x' }\nevent_id = { json = '/id' }");
  };
  const Source source = SourceOf(scheme("hmac-sha256"), {"key"});
  for (const char* other : {"hmac-sha1", "hmac-sha384", "hmac-sha512"}) {
    const CapturedRequest sent = Captured(SourceOf(scheme(other), {"key"}), std::string(kBody));
    ExpectOnly(Explain(source, {}, sent, kNowUs), Mistake::kAlgorithm, other);
  }
}

TEST(Explanation, SaysThatASignatureWasCut) {
  const Source source = Named("github", {"key"});
  CapturedRequest request = Captured(source, std::string(kBody));
  HeaderOf(request, "x-hub-signature-256").resize(60);
  const Explanation explained = Explain(source, {}, request, kNowUs);
  EXPECT_NE(explained.cause.find("of another length"), std::string::npos) << explained.cause;
  EXPECT_EQ(explained.cause.find("another secret"), std::string::npos) << explained.cause;
}

TEST(Explanation, SaysWhichParameterAHandshakeNeeds) {
  Source source = Named("meta", {"key"});
  const CapturedRequest subscribe = {
      .method = "GET",
      .target = "/webhooks/test?hub.mode=subscribe&hub.challenge=1&hub.verify_token=guess",
      .headers = {},
      .body = {}};
  EXPECT_NE(Explain(source, {}, subscribe, kNowUs).cause.find("only once the parameter verify_token"),
            std::string::npos)
      << Explain(source, {}, subscribe, kNowUs).cause;
  source.parameters.emplace_back("verify_token", "chosen");
  EXPECT_NE(Explain(source, {}, subscribe, kNowUs).cause.find("is the parameter verify_token"),
            std::string::npos)
      << Explain(source, {}, subscribe, kNowUs).cause;
}

TEST(Explanation, FindsANewlineAddedOrLost) {
  const Source source = Named("github", {"a secret"});
  CapturedRequest added = Captured(source, std::string(kBody));
  added.body += "\n";
  ExpectOnly(Explain(source, {}, added, kNowUs), Mistake::kLineEnds, "was added");
  CapturedRequest lost = Captured(source, std::string(kBody) + "\n");
  lost.body.pop_back();
  EXPECT_NE(FindingOf(Explain(source, {}, lost, kNowUs), Mistake::kLineEnds).find("was lost"),
            std::string::npos);
  CapturedRequest converted = Captured(source, "{\r\n}\r\n");
  converted.body = "{\n}\n";
  ExpectOnly(Explain(source, {}, converted, kNowUs), Mistake::kLineEnds, "CRLF in the body became LF");
}

TEST(Explanation, FindsJsonThatWasWrittenAnew) {
  const Source source = Named("github", {"a secret"});
  const auto found = [&source](std::string sent, std::string received) {
    CapturedRequest request = Captured(source, std::move(sent));
    request.body = std::move(received);
    return FindingOf(Explain(source, {}, request, kNowUs), Mistake::kReserialized);
  };
  const std::string compact = R"({"b":[1,2.50],"a":"é/x"})";
  EXPECT_NE(found(compact, R"({ "b": [1, 2.50], "a": "é/x" })").find("was compact."), std::string::npos);
  EXPECT_NE(found(R"({"b": [1, 2.50], "a": "é/x"})", compact).find("Python"), std::string::npos);
  EXPECT_NE(found(R"({"a":"é/x","b":[1,2.50]})", compact).find("keys sorted"), std::string::npos);
  EXPECT_NE(found("{\n  \"b\": [\n    1,\n    2.50\n  ],\n  \"a\": \"é/x\"\n}", compact).find("by two"),
            std::string::npos);
  EXPECT_NE(found(R"({"b":[1,2.50],"a":"\u00e9/x"})", compact).find("non-ASCII escaped"), std::string::npos);
  EXPECT_NE(found(R"({"b":[1,2.50],"a":"\u00e9\/x"})", compact).find("slashes escaped"), std::string::npos);
  EXPECT_EQ(found(R"({"b":[1,2.5],"a":"é/x"})", compact), "");
}

TEST(Explanation, FindsABodyThatWasCompressed) {
  const Source source = Named("github", {"a secret"});
  CapturedRequest request = Captured(source, std::string(kBody));
  request.body = Gzipped(kBody);
  request.headers.emplace_back("Content-Encoding", "gzip");
  const Explanation before = Explain(source, {}, request, kNowUs);
  EXPECT_EQ(before.verdict, "unsupported_encoding");
  ExpectOnly(before, Mistake::kDecompressed, "before it was compressed");

  CapturedRequest compressed = Captured(source, Gzipped(kBody));
  compressed.headers.emplace_back("Content-Encoding", "gzip");
  ExpectOnly(Explain(source, {}, compressed, kNowUs), Mistake::kDecompressed, "as it came, compressed");
}

TEST(Explanation, FindsAnotherUrl) {
  const auto found = [](std::string_view configured, std::string_view called, std::string_view target,
                        std::string_view host) {
    Source source = Named("square", {"a secret"});
    source.public_url = called;
    CapturedRequest request = Captured(source, std::string(kBody));
    source.public_url = configured;
    request.target = target;
    request.headers.emplace_back("Host", host);
    return FindingOf(Explain(source, {}, request, kNowUs), Mistake::kUrl);
  };
  const std::string_view url = "https://a.example/webhooks/test";
  EXPECT_NE(found(url, "http://a.example/webhooks/test", "/webhooks/test", "a.example")
                .find("URL http://a.example/"),
            std::string::npos);
  EXPECT_NE(found(url, "https://b.example/webhooks/test", "/webhooks/test", "b.example").find("//b.example/"),
            std::string::npos);
  EXPECT_NE(
      found(url, "https://a.example:443/webhooks/test", "/webhooks/test", "a.example").find("example:443/"),
      std::string::npos);
  EXPECT_NE(found(url, "https://a.example:8443/in", "/in", "a.example:8443").find("example:8443/in"),
            std::string::npos);
  EXPECT_NE(found(url, "https://a.example/webhooks/test/", "/webhooks/test", "a.example").find("test/."),
            std::string::npos);
  EXPECT_NE(found(url, url, "/webhooks/test?x=1", "a.example").find("without the query"), std::string::npos);
}

TEST(Explanation, FindsAnotherEncodingOfTheSignature) {
  const std::string scheme = R"(
algorithm = "hmac-sha256"
signed = "{body}"
event_id = { json = "/id" }
signature = { header = "X-Sig", )";
  const auto source = [&scheme](std::string_view rest) {
    return SourceOf(SchemeFrom(scheme + std::string(rest) + " }"), {std::string(kSecret)});
  };
  const Source hex = source(R"(encoding = "hex")");
  const Source base64 = source(R"(encoding = "base64")");
  const Source prefixed = source(R"(encoding = "hex", prefix = "sha256=")");
  ExpectOnly(Explain(hex, {}, Captured(base64, std::string(kBody)), kNowUs), Mistake::kEncoding, "in base64");
  ExpectOnly(Explain(base64, {}, Captured(hex, std::string(kBody)), kNowUs), Mistake::kEncoding, "in hex");
  ExpectOnly(Explain(hex, {}, Captured(prefixed, std::string(kBody)), kNowUs), Mistake::kEncoding,
             "with a prefix");
  ExpectOnly(Explain(prefixed, {}, Captured(hex, std::string(kBody)), kNowUs), Mistake::kEncoding,
             "without its prefix");
}

TEST(Explanation, CoversEveryKindThatCanBeSignedHere) {
  for (const Kind& kind : Kinds()) {
    Source source = SourceOf(kind.scheme, {"whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="});
    for (const ParameterRule& rule : kind.scheme->parameters) source.parameters.emplace_back(rule.name, "x");
    CapturedRequest request = Captured(source, std::string(kBody));
    const Explanation explained = Explain(source, {}, request, kNowUs);
    EXPECT_FALSE(explained.verdict.empty()) << kind.name;
    EXPECT_FALSE(explained.proofs.empty()) << kind.name;
    if (!explained.authentic || explained.proofs.front().expected.empty()) continue;
    const SignedView& proof = explained.proofs.front();
    EXPECT_TRUE(std::ranges::any_of(proof.expected, [&proof](const ExpectedSignature& expected) {
      return std::ranges::find(proof.received, expected.masked) != proof.received.end();
    })) << kind.name;
  }
}

}  // namespace
}  // namespace weir::source
