// Header fields by their grammar, not by one spelling: content codings, authentication schemes, CloudEvents
// attributes.
#include <gtest/gtest.h>

#include <string>

#include "engine/source/content_coding.h"
#include "tests/unit/source/support.h"

namespace weir::source {
namespace {

std::string AnswerWith(const Source& source, const HeaderList& headers, std::string body = R"({"id":"1"})") {
  OwnedRequest request = Signed(source, std::move(body));
  for (const auto& field : headers) request.headers.push_back(field);
  return AnswerTo(source, request);
}

TEST(ContentEncoding, WhatNamesNoCodingLeavesTheBodyAsItIs) {
  const Source github = SourceOf("github", {"s"});
  for (const char* value : {"", "identity", "Identity", "UTF-8", "utf8", "utf-8, identity", ",",
                            " , identity ,", "\tidentity\t", "8bit", "binary", "us-ascii", "ISO-8859-1"}) {
    EXPECT_EQ(AnswerWith(github, {{"Content-Encoding", value}}), "accepted") << value;
  }
  EXPECT_EQ(AnswerWith(github, {{"Content-Encoding", "identity"}, {"Content-Encoding", "utf-8"}}),
            "accepted");
}

TEST(ContentEncoding, EveryCodingIsRefused) {
  const Source github = SourceOf("github", {"s"});
  for (const char* value : {"gzip", "x-gzip", "GZIP", "deflate", "br", "zstd", "compress", "identity, gzip",
                            "utf-8,br", "aes128gcm", "identity gzip", "gzip;q=1"}) {
    EXPECT_EQ(AnswerWith(github, {{"Content-Encoding", value}}), "unsupported_encoding") << value;
  }
  EXPECT_EQ(AnswerWith(github, {{"Content-Encoding", "identity"}, {"Content-Encoding", "gzip"}}),
            "unsupported_encoding");
}

Source Basic() {
  return SourceOf(SchemeFrom(R"(
    algorithm = "basic"
    signature = { header = "authorization" }
    event_id = { json = "/id" }
  )"),
                  {"user:password"});
}

std::string AnswerToCredential(const Source& source, const std::string& value,
                               const std::string& body = "{}") {
  OwnedRequest request;
  request.body = body;
  request.headers = {{"Authorization", value}, {"ce-id", "1"}, {"ce-source", "/s"}, {"ce-type", "t"}};
  return AnswerTo(source, request);
}

TEST(AuthenticationScheme, CountsInAnyCaseAndWithAnySpaces) {
  const Source token = SourceOf("cloudevents", {"token"});
  for (const char* value : {"Bearer token", "bearer token", "BEARER token", "bEaReR   token"}) {
    EXPECT_EQ(AnswerToCredential(token, value), "accepted") << value;
  }
  for (const char* value :
       {"Basic dXNlcjpwYXNzd29yZA==", "basic dXNlcjpwYXNzd29yZA==", "BASIC  dXNlcjpwYXNzd29yZA=="}) {
    EXPECT_EQ(AnswerToCredential(Basic(), value), "accepted") << value;
  }
  const Source teams = SourceOf("teams", {"c2VjcmV0LXNlY3JldA=="});
  OwnedRequest request = Signed(teams, R"({"id":"1","type":"message"})");
  std::string& value = request.headers.back().second;
  ASSERT_TRUE(value.starts_with("HMAC "));
  value.replace(0, 4, "hmac");
  EXPECT_EQ(AnswerTo(teams, request), "accepted");
}

TEST(AuthenticationScheme, IsAWordOfItsOwn) {
  const Source token = SourceOf("cloudevents", {"token"});
  for (const char* value : {"Bearertoken", "Bearer", "Bearer ", "token", "Basic token", "Bearer\ttoken"}) {
    EXPECT_NE(AnswerToCredential(token, value), "accepted") << value;
  }
}

TEST(AuthenticationScheme, WhatFollowsItKeepsItsCase) {
  EXPECT_EQ(AnswerToCredential(SourceOf("cloudevents", {"token"}), "Bearer TOKEN"), "invalid_signature");
  EXPECT_EQ(AnswerToCredential(Basic(), "Basic dXNlcjpQQVNTV09SRA=="), "invalid_signature");
}

struct CloudEventAnswer {
  std::string answer;
  std::string id;
  std::string type;
};

CloudEventAnswer AnswerToCloudEvent(const HeaderList& attributes, std::string body = "{}") {
  OwnedRequest request;
  request.body = std::move(body);
  request.headers = {{"Authorization", "Bearer token"}};
  for (const auto& field : attributes) request.headers.push_back(field);
  Verifier verifier(1);
  const Source source = SourceOf("cloudevents", {"token"});
  const Verdict verdict = verifier.Verify(source, request.View(), kNowUs);
  CloudEventAnswer result{.answer = AnswerOf(verdict), .id = {}, .type = {}};
  if (const auto* accepted = std::get_if<Accepted>(&verdict)) {
    result.id = accepted->events->front().id;
    result.type = accepted->events->front().type;
  }
  return result;
}

TEST(CloudEventFields, AreTheSameEventAsTheStructuredOne) {
  const auto binary =
      AnswerToCloudEvent({{"ce-id", "a%20b"}, {"ce-source", "/s%C3%A9"}, {"ce-type", "%22t%22"}});
  const auto quoted =
      AnswerToCloudEvent({{"ce-id", "\"a b\""}, {"ce-source", "/s\xC3\xA9"}, {"ce-type", "%22t%22"}});
  const auto structured =
      AnswerToCloudEvent({}, "{\"id\":\"a b\",\"source\":\"/s\xC3\xA9\",\"type\":\"\\\"t\\\"\"}");
  EXPECT_EQ(binary.id, structured.id);
  EXPECT_EQ(quoted.id, structured.id);
  EXPECT_EQ(binary.type, structured.type);
  EXPECT_EQ(binary.type, "\"t\"");
}

TEST(CloudEventFields, AreDecodedOnce) {
  EXPECT_EQ(AnswerToCloudEvent({{"ce-id", "a%2520b"}, {"ce-source", "/s"}}).id,
            AnswerToCloudEvent({}, R"({"id":"a%20b","source":"/s"})").id);
}

TEST(CloudEventFields, ThatAreNotTextAreRefusedWhicheverTheyAre) {
  for (const char* name : {"ce-id", "ce-source", "ce-type", "ce-subject", "ce-myextension", "CE-Time"}) {
    for (const char* value : {"%FF", "a%C3", "%ED%A0%80", "%00", "%0A", "\xFF"}) {
      EXPECT_EQ(AnswerToCloudEvent({{"ce-id", "1"}, {"ce-source", "/s"}, {name, value}}).answer,
                "malformed_payload")
          << name << ": " << value;
    }
  }
}

TEST(CloudEventFields, AreJudgedOnlyOnceTheCredentialHolds) {
  EXPECT_EQ(AnswerToCredential(SourceOf("cloudevents", {"other"}), "Bearer token"), "invalid_signature");
}

TEST(GithubType, IsTheEventAndItsAction) {
  const Source github = SourceOf("github", {"s"});
  const auto type_of = [&](std::string_view body, std::string_view event) {
    OwnedRequest request = Signed(github, std::string(body), kNowS, "d1", event);
    Verifier verifier(1);
    const Verdict verdict = verifier.Verify(github, request.View(), kNowUs);
    return std::string(std::get<Accepted>(verdict).events->front().type);
  };
  EXPECT_EQ(type_of(R"({"action":"opened"})", "pull_request"), "pull_request.opened");
  EXPECT_EQ(type_of(R"({"ref":"refs/heads/main"})", "push"), "push");
  EXPECT_EQ(type_of(R"({"action":null})", "push"), "push");
  EXPECT_EQ(type_of(R"({"action":{"name":"x"}})", "push"), "push");
  EXPECT_EQ(type_of("not json", "ping"), "ping");
}

TEST(GithubForm, TheEventIsTheJsonOfItsPayload) {
  const Source github = SourceOf("github", {"s"});
  OwnedRequest request = Signed(github, "payload=%7B%22action%22%3A%22opened%22%2C%22n%22%3A%22a+b%22%7D",
                                kNowS, "d1", "issues");
  Verifier verifier(1);
  const Verdict verdict = verifier.Verify(github, request.View(), kNowUs);
  ASSERT_EQ(AnswerOf(verdict), "accepted");
  const VerifiedEvent& event = std::get<Accepted>(verdict).events->front();
  EXPECT_EQ(event.body, R"({"action":"opened","n":"a b"})");
  EXPECT_EQ(event.content_type, "application/json");
  EXPECT_EQ(event.type, "issues.opened");
  request.body += ' ';
  EXPECT_EQ(AnswerTo(github, request), "invalid_signature") << "the form's bytes are what is signed";
}

TEST(GithubForm, WithoutAPayloadStaysWhatItIs) {
  const Source github = SourceOf("github", {"s"});
  OwnedRequest request = Signed(github, "other=1", kNowS, "d1", "push");
  Verifier verifier(1);
  const Verdict verdict = verifier.Verify(github, request.View(), kNowUs);
  const VerifiedEvent& event = std::get<Accepted>(verdict).events->front();
  EXPECT_EQ(event.body, "other=1");
  EXPECT_EQ(event.content_type, "");
}

}  // namespace
}  // namespace weir::source
