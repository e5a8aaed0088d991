// Handshakes: answered exactly as the sender expects, verified where the contract signs them, never stored.
#include <gtest/gtest.h>

#include <algorithm>

#include "engine/source/scheme.h"
#include "tests/unit/source/support.h"

namespace weir::source {
namespace {

struct Reply {
  std::string answer;
  int status = 0;
  std::string content_type, body, captured, confirm;
  HeaderList headers;
};

Reply ReplyTo(const Source& source, OwnedRequest request) {
  Verifier verifier(1);
  const Verdict verdict = verifier.Verify(source, request.View(), kNowUs);
  Reply reply{.answer = AnswerOf(verdict),
              .status = 0,
              .content_type = {},
              .body = {},
              .captured = {},
              .confirm = {},
              .headers = {}};
  if (const auto* handshake = std::get_if<Handshake>(&verdict)) {
    reply.status = handshake->status;
    reply.content_type = handshake->content_type;
    reply.body = handshake->body;
    reply.captured = handshake->captured_secret;
    reply.confirm = handshake->confirm_url;
    reply.headers = handshake->headers;
  }
  return reply;
}

OwnedRequest Bare(std::string method, std::string target, HeaderList headers = {}, std::string body = "") {
  OwnedRequest request;
  request.method = std::move(method);
  request.target = std::move(target);
  request.headers = std::move(headers);
  request.body = std::move(body);
  return request;
}

Source With(Source source, std::string name, std::string value) {
  source.parameters.emplace_back(std::move(name), std::move(value));
  return source;
}

const Source kSlack = SourceOf("slack", {"8f742231b10e8888abcd99yyyzzz85a5"});

TEST(Handshake, SlackGetsItsChallengeBack) {
  const Reply reply =
      ReplyTo(kSlack, Signed(kSlack, R"({"type":"url_verification","challenge":"3eZbrw1a"})"));
  EXPECT_EQ(reply.answer, "handshake");
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.content_type, "application/json");
  EXPECT_EQ(reply.body, R"({"challenge":"3eZbrw1a"})");
}

TEST(Handshake, AReflectedValueCannotLeaveItsJsonString) {
  const Reply reply =
      ReplyTo(kSlack, Signed(kSlack, R"({"type":"url_verification","challenge":"a\",\"b\":\"<script>"})"));
  EXPECT_EQ(reply.body, R"({"challenge":"a\",\"b\":\"<script>"})");
}

TEST(Handshake, AnUnsignedChallengeOfASigningSenderIsRefused) {
  EXPECT_EQ(ReplyTo(kSlack, Bare("POST", "/", {}, R"({"type":"url_verification","challenge":"x"})")).answer,
            "missing_signature");
}

TEST(Handshake, ReflectedValuesAreBoundedAndHaveNoControlBytes) {
  EXPECT_EQ(ReplyTo(kSlack, Signed(kSlack, R"({"type":"url_verification","challenge":"a\r\nb"})")).answer,
            "malformed_payload");
  const std::string huge(limits::kHandshakeEchoBytesMax + 1, 'x');
  EXPECT_EQ(
      ReplyTo(kSlack, Signed(kSlack, R"({"type":"url_verification","challenge":")" + huge + R"("})")).answer,
      "malformed_payload");
}

TEST(Handshake, SlackSslCheckIsAnsweredOnlyWithoutASignature) {
  const HeaderList form = {{"Content-Type", "application/x-www-form-urlencoded"}};
  EXPECT_EQ(ReplyTo(kSlack, Bare("POST", "/", form, "token=x&ssl_check=1")).answer, "handshake");
  EXPECT_EQ(ReplyTo(kSlack, Bare("POST", "/", form, "token=x&ssl_check=2")).answer, "missing_signature");
  HeaderList signed_form = form;
  signed_form.emplace_back("X-Slack-Signature", "v0=00");
  EXPECT_NE(ReplyTo(kSlack, Bare("POST", "/", signed_form, "ssl_check=1")).answer, "handshake");
}

TEST(Handshake, MetaNeedsItsVerifyToken) {
  const Source meta = With(SourceOf("meta", {"app-secret"}), "verify_token", "T0ken");
  const Reply reply =
      ReplyTo(meta, Bare("GET", "/?hub.mode=subscribe&hub.verify_token=T0ken&hub.challenge=1158201444"));
  EXPECT_EQ(reply.answer, "handshake");
  EXPECT_EQ(reply.body, "1158201444");
  EXPECT_EQ(reply.content_type, "text/plain");
  ASSERT_EQ(reply.headers.size(), 1U);
  EXPECT_EQ(reply.headers[0].second, "nosniff");
  EXPECT_EQ(ReplyTo(meta, Bare("GET", "/?hub.mode=subscribe&hub.verify_token=other&hub.challenge=1")).answer,
            "invalid_signature");
  EXPECT_EQ(ReplyTo(SourceOf("meta", {"app-secret"}),
                    Bare("GET", "/?hub.mode=subscribe&hub.verify_token=&hub.challenge=1"))
                .answer,
            "invalid_signature");
  EXPECT_NE(ReplyTo(meta, Bare("GET", "/")).answer, "handshake");
}

TEST(Handshake, DropboxGetsItsChallengeAsPlainText) {
  const Reply reply = ReplyTo(SourceOf("dropbox", {"s"}), Bare("GET", "/?challenge=%3Cb%3E1"));
  EXPECT_EQ(reply.body, "<b>1");
  EXPECT_EQ(reply.content_type, "text/plain");
  EXPECT_EQ(reply.headers[0], (std::pair<std::string, std::string>("X-Content-Type-Options", "nosniff")));
}

TEST(Handshake, ZoomGetsAnHmacOfItsToken) {
  const Source zoom = SourceOf("zoom", {"zoom_secret_token_abc"});
  const Reply reply = ReplyTo(
      zoom,
      Signed(zoom,
             R"({"event":"endpoint.url_validation","payload":{"plainToken":"qgg8vlvZRS6UYooatFL8Aw"}})"));
  EXPECT_EQ(reply.body,
            R"({"encryptedToken":"80edd1714ed1e0ce28ac44937f9822300ea2bd1361dfcdf1ab38db12171cbd33",)"
            R"("plainToken":"qgg8vlvZRS6UYooatFL8Aw"})");
}

TEST(Handshake, TwitchGetsNothingButItsChallenge) {
  const Source twitch = SourceOf("twitch", {"s3cRe7"});
  OwnedRequest request = Signed(twitch, R"({"challenge":"pogchamp-kappa-360noscope"})");
  request.headers.emplace_back("Twitch-Eventsub-Message-Type", "webhook_callback_verification");
  const Reply reply = ReplyTo(twitch, request);
  EXPECT_EQ(reply.answer, "handshake");
  EXPECT_EQ(reply.body, "pogchamp-kappa-360noscope");
  EXPECT_EQ(reply.content_type, "text/plain");
}

TEST(Handshake, AsanaHandsOverItsSecretOnlyWhileNoneIsConfigured) {
  const HeaderList headers = {{"X-Hook-Secret", "b537207f20cbfa02357cf448134da559"}};
  const Reply reply = ReplyTo(SourceOf("asana", {}), Bare("POST", "/", headers));
  EXPECT_EQ(reply.answer, "handshake");
  EXPECT_EQ(reply.captured, "b537207f20cbfa02357cf448134da559");
  EXPECT_EQ(reply.headers[0],
            (std::pair<std::string, std::string>("X-Hook-Secret", "b537207f20cbfa02357cf448134da559")));
  EXPECT_EQ(ReplyTo(SourceOf("asana", {"mine"}), Bare("POST", "/", headers)).answer, "missing_signature");
}

TEST(Handshake, WhatIsSignedBeforeTheSecretArrivedIsToBeSentAgain) {
  const OwnedRequest signed_request = Signed(SourceOf("asana", {"mine"}), R"({"events":[]})");
  EXPECT_EQ(ReplyTo(SourceOf("asana", {}), signed_request).answer, "key_unavailable");
  EXPECT_EQ(ReplyTo(SourceOf("asana", {"other"}), signed_request).answer, "invalid_signature");
  EXPECT_EQ(ReplyTo(SourceOf("asana", {}), Bare("POST", "/", {}, R"({"events":[]})")).answer,
            "missing_signature");
}

TEST(Handshake, NotionHandsOverItsTokenOnlyWhileNoneIsConfigured) {
  const std::string body = R"({"verification_token":"secret_tMrlL1qK5vuQAh1b6cZGhFChZTSYJlce98V0pYn7yBl"})";
  EXPECT_EQ(ReplyTo(SourceOf("notion", {}), Bare("POST", "/", {}, body)).captured,
            "secret_tMrlL1qK5vuQAh1b6cZGhFChZTSYJlce98V0pYn7yBl");
  EXPECT_EQ(ReplyTo(SourceOf("notion", {"secret_x"}), Bare("POST", "/", {}, body)).answer,
            "missing_signature");
}

TEST(Handshake, ASecretThatTheSchemeCannotUseIsNotTaken) {
  const Source source = SourceOf(SchemeFrom(R"(
algorithm = "hmac-sha256"
key = { encoding = "hex" }
signature = { header = "x-signature", encoding = "hex" }
signed = "{body}"
event_id = { json = "/id" }
[[handshake]]
name = "secret"
guard = "pending"
match = { headers = { x-secret = "*" } }
capture = { header = "x-secret" }
)"),
                                 {});
  EXPECT_EQ(ReplyTo(source, Bare("POST", "/", {{"X-Secret", "abcd"}})).captured, "abcd");
  EXPECT_EQ(ReplyTo(source, Bare("POST", "/", {{"X-Secret", "not hex"}})).answer, "malformed_payload");
}

TEST(Handshake, WooCommercePingIsExactlyItsForm) {
  const Source woo = SourceOf("woocommerce", {"s"});
  EXPECT_EQ(ReplyTo(woo, Bare("POST", "/", {}, "webhook_id=42")).answer, "handshake");
  for (const char* body :
       {"webhook_id=", "webhook_id=4x", "webhook_id=42&x=1", "webhook_id=123456789012345678901"}) {
    EXPECT_EQ(ReplyTo(woo, Bare("POST", "/", {}, body)).answer, "missing_signature") << body;
  }
}

TEST(Handshake, OktaChallengeNeedsTheCredential) {
  const Source okta = SourceOf("okta", {"credential"});
  const Reply reply = ReplyTo(
      okta,
      Bare("GET", "/", {{"Authorization", "credential"}, {"X-Okta-Verification-Challenge", "my \"value\""}}));
  EXPECT_EQ(reply.body, R"({"verification":"my \"value\""})");
  EXPECT_EQ(ReplyTo(okta, Bare("GET", "/", {{"X-Okta-Verification-Challenge", "v"}})).answer,
            "missing_signature");
}

TEST(Handshake, EventGridValidationNeedsTheToken) {
  const Source grid = SourceOf("event-grid", {"t0ken"});
  const std::string body =
      R"([{"eventType":"Microsoft.EventGrid.SubscriptionValidationEvent","data":{"validationCode":"512d38b6"}}])";
  const HeaderList headers = {{"aeg-event-type", "SubscriptionValidation"}};
  EXPECT_EQ(ReplyTo(grid, Bare("POST", "/?code=t0ken", headers, body)).body,
            R"({"validationResponse":"512d38b6"})");
  EXPECT_EQ(ReplyTo(grid, Bare("POST", "/?code=wrong", headers, body)).answer, "invalid_signature");
}

TEST(Handshake, CloudEventsConsentGoesToTheConfiguredOrigin) {
  const Source source = With(SourceOf("cloudevents", {"t"}), "allowed_origin", "eventemitter.example.com");
  const Reply reply =
      ReplyTo(source, Bare("OPTIONS", "/", {{"WebHook-Request-Origin", "eventemitter.example.com"}}));
  EXPECT_EQ(reply.answer, "handshake");
  EXPECT_TRUE(std::ranges::find(reply.headers, std::pair<std::string, std::string>(
                                                   "WebHook-Allowed-Origin", "eventemitter.example.com")) !=
              reply.headers.end());
  EXPECT_NE(ReplyTo(source, Bare("OPTIONS", "/", {{"WebHook-Request-Origin", "evil.example.com"}})).answer,
            "handshake");
}

}  // namespace
}  // namespace weir::source
