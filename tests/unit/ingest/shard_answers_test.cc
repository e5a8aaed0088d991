// What a client is told, over a real socket, with a real committer and a real store behind it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ctime>
#include <string>

#include "engine/source/kinds.h"
#include "storage/event_codec.h"
#include "tests/unit/ingest/shard_fixture.h"

namespace weir::ingest {
namespace {

using observe::RejectionCode;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;

std::string Get(std::string_view method, std::string_view path, std::string_view fields = "") {
  std::string request(method);
  return request.append(" ").append(path).append(" HTTP/1.1\r\nHost: x\r\n").append(fields).append("\r\n");
}

TEST_F(ShardTest, ANewEventIsAcceptedOnceItIsInTheStore) {
  Start();
  Client client = Connect();
  client.Send(Delivery{.id = "d-1"}.Bytes());
  const Answer answer = client.Read();
  EXPECT_EQ(answer.status, 202);
  EXPECT_EQ(answer.body, R"({"status":"accepted","event_id":"d-1","sequence":1})");
  EXPECT_THAT(answer.Field("Content-Type"), "application/json");
  EXPECT_THAT(answer.Field("X-Request-Id").value_or(""), MatchesRegex("[0-9a-f]{16}"));
  EXPECT_THAT(answer.Field("Date").value_or(""), MatchesRegex("..., .. ... .... ..:..:.. GMT"));
  EXPECT_FALSE(answer.Field("weir-ack"));

  const auto record = store_->ReadRecord(1);
  ASSERT_TRUE(record);
  const auto event = storage::Decode(*record);
  ASSERT_TRUE(event);
  EXPECT_EQ(event->source, "hooks");
  EXPECT_EQ(event->id, "d-1");
  EXPECT_EQ(event->type, "push");
  EXPECT_EQ(event->body, R"({"ref":"refs/heads/main"})");
  EXPECT_THAT(std::string(event->headers), HasSubstr("x-github-delivery: d-1\r\n"));
  EXPECT_NEAR(static_cast<double>(event->received_at_us) / 1e6, static_cast<double>(std::time(nullptr)), 60);
}

TEST_F(ShardTest, TheSameEventAgainIsADuplicateOfTheFirst) {
  Start();
  Client client = Connect();
  client.Send(Delivery{.id = "d-1"}.Bytes());
  client.Read();
  client.Send(Delivery{.id = "d-1"}.Bytes());
  const Answer answer = client.Read();
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, R"({"status":"duplicate","event_id":"d-1","sequence":1})");
  client.Send(Delivery{.id = "d-1", .body = R"({"other":1})"}.Bytes());
  EXPECT_EQ(client.Read().status, 200)
      << "same id, different bytes: kept as a conflict, answered as a duplicate";
  EXPECT_EQ(store_->last_sequence(), 1u);
}

TEST_F(ShardTest, AcksOfUnsyncedWritesSaySo) {
  Start({.ack = config::AckMode::kOs});
  Client client = Connect();
  client.Send(Delivery{}.Bytes());
  EXPECT_THAT(client.Read().Field("weir-ack"), "os");
  client.Send(Delivery{.extra_fields = "Connection: close\r\n"}.Bytes());
  EXPECT_THAT(client.Read().Field("weir-ack"), "os");
}

TEST_F(ShardTest, AnIdIsEscapedInTheAnswer) {
  Start();
  Client client = Connect();
  client.Send(Delivery{.id = R"(a"b\c)"}.Bytes());
  EXPECT_EQ(client.Read().body, R"({"status":"accepted","event_id":"a\"b\\c","sequence":1})");
}

TEST_F(ShardTest, AWrongSignatureStoresNothingAndKeepsTheConnection) {
  Start();
  Client client = Connect();
  client.Send(Delivery{.secret = "another secret"}.Bytes());
  const Answer answer = client.Read();
  EXPECT_EQ(answer.status, 401);
  EXPECT_TRUE(answer.Field("WWW-Authenticate"));
  EXPECT_THAT(answer.body, HasSubstr(R"("code":"invalid_signature")"));
  EXPECT_THAT(answer.body, HasSubstr(R"("correlation_id":")" + answer.Field("X-Request-Id").value_or("?")));
  client.Send(Delivery{}.Bytes());
  EXPECT_EQ(client.Read().status, 202);
  EXPECT_EQ(store_->last_sequence(), 1u);
  EXPECT_EQ(Rejected("hooks", RejectionCode::kInvalidSignature), 1u);
}

TEST_F(ShardTest, AnUnknownSourceOrPathIs404AndTheConnectionGoesOn) {
  Start();
  Client client = Connect();
  client.Send(Delivery{.source = "nobody"}.Bytes());
  EXPECT_EQ(client.Read().status, 404);
  client.Send(Get("GET", "/"));
  EXPECT_EQ(client.Read().status, 404);
  client.Send(Delivery{.source = "hooks//"}.Bytes());
  EXPECT_EQ(client.Read().status, 404);
  client.Send(Delivery{}.Bytes());
  EXPECT_EQ(client.Read().status, 202);
  EXPECT_EQ(Rejected("", RejectionCode::kUnknownSource), 3u);
}

TEST_F(ShardTest, AMethodThatIsNotAllowedNamesTheOneThatIs) {
  Start();
  Client client = Connect();
  for (const std::string_view method : {"GET", "PUT", "DELETE", "OPTIONS", "BREW"}) {
    client.Send(Get(method, "/webhooks/hooks"));
    const Answer answer = client.Read();
    EXPECT_EQ(answer.status, 405) << method;
    EXPECT_THAT(answer.Field("Allow"), "POST") << method;
  }
  client.Send(Get("POST", "/healthz", "Content-Length: 0\r\n"));
  const Answer answer = client.Read();
  EXPECT_EQ(answer.status, 405);
  EXPECT_THAT(answer.Field("Allow"), "GET, HEAD");
}

TEST_F(ShardTest, HealthIsAnsweredAndAHeadHasNoBody) {
  Start();
  Client client = Connect();
  client.Send(Get("GET", "/healthz"));
  EXPECT_EQ(client.Read().status, 200);
  client.Send(Get("HEAD", "/healthz"));
  const Answer answer = client.Read(/*head_only=*/true);
  EXPECT_EQ(answer.status, 200);
  EXPECT_NE(answer.Field("Content-Length"), "0");
  client.Send(Get("HEAD", "/webhooks/hooks"));
  EXPECT_EQ(client.Read(/*head_only=*/true).status, 405);
  client.Send(Get("GET", "/healthz"));
  EXPECT_EQ(client.Read().status, 200) << "a body after the HEAD would be taken for this answer";
}

TEST_F(ShardTest, AContentCodingIsRefused) {
  Start();
  Client client = Connect();
  client.Send(Delivery{.extra_fields = "Content-Encoding: gzip\r\n"}.Bytes());
  EXPECT_EQ(client.Read().status, 415);
}

TEST_F(ShardTest, AHandshakeIsAnsweredAsItsKindPrescribesAndNotStored) {
  Start();
  const std::string body = R"({"type":"url_verification","challenge":"c-42","token":"t"})";
  const auto fields = source::Sign(
      *source::FindKind("slack")->scheme,
      {.secret = kSecret, .body = body, .at_unix_s = std::time(nullptr), .id = {}, .type = {}, .url = {}});
  ASSERT_TRUE(fields);
  std::string request = "POST /webhooks/slack HTTP/1.1\r\nHost: x\r\n";
  for (const auto& [name, value] : *fields) request.append(name).append(": ").append(value).append("\r\n");
  request += "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  Client client = Connect();
  client.Send(request);
  const Answer answer = client.Read();
  EXPECT_EQ(answer.status, 200);
  EXPECT_THAT(answer.body, HasSubstr("c-42"));
  EXPECT_TRUE(answer.Field("X-Request-Id"));
  EXPECT_EQ(store_->last_sequence(), 0u);
}

TEST_F(ShardTest, AStoreThatIsUnavailableIs503WithRetryAfterBeforeTheBodyIsRead) {
  Start();
  gate_.storable = false;
  Client client = Connect();
  client.Send(Delivery{.body = std::string(100'000, 'x')}.Head());
  Answer answer = client.Read();
  EXPECT_EQ(answer.status, 503);
  EXPECT_TRUE(answer.Field("Retry-After"));
  EXPECT_TRUE(client.Ended());
  gate_.storable = true;
  gate_.disk_budget_bytes = 10;
  Client second = Connect();
  second.Send(Delivery{}.Bytes());
  EXPECT_EQ(second.Read().status, 503);
  gate_.disk_budget_bytes = 1 << 20;
  second.Send(Delivery{}.Bytes());
  EXPECT_EQ(second.Read().status, 202) << "a request that was there whole does not cost the connection";
  EXPECT_LT(gate_.disk_budget_bytes.load(), 1 << 20);
}

TEST_F(ShardTest, EveryAnswerHasAnIdOfItsOwn) {
  Start();
  Client client = Connect();
  client.Send(Delivery{.id = "1"}.Bytes());
  const auto first = client.Read().Field("X-Request-Id");
  client.Send(Delivery{.id = "2"}.Bytes());
  EXPECT_NE(client.Read().Field("X-Request-Id"), first);
}

TEST_F(ShardTest, AcceptedEventsAndDuplicatesAreCountedByTypeAndSource) {
  Start();
  Client client = Connect();
  client.Send(Delivery{.id = "1"}.Bytes());
  client.Read();
  client.Send(Delivery{.id = "1"}.Bytes());
  client.Read();
  shard_->Stop(0);
  const observe::SourceProbe& probe = probe_.ForSource("hooks");
  ASSERT_EQ(probe.type_count(), 1u);
  EXPECT_EQ(probe.type(0).type, "push");
  EXPECT_EQ(probe.type(0).count.value(), 1u);
  EXPECT_EQ(probe.duplicates.value(), 1u);
  ASSERT_EQ(probe.secret_count(), 1u);
  EXPECT_EQ(probe.secret(0).matched.value(), 2u);
  EXPECT_GT(probe.secret(0).last_matched_us.value(), 0);
  EXPECT_GT(probe.last_received_us.value(), 0);
  EXPECT_EQ(probe_.requests.value(), 2u);
}

}  // namespace
}  // namespace weir::ingest
