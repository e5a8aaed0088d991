// How requests may arrive: in one piece or many, one behind the other, with or without a length, over a real
// socket.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "engine/limits.h"
#include "storage/event_codec.h"
#include "tests/unit/ingest/shard_fixture.h"

namespace weir::ingest {
namespace {

using commit::CommitOutcome;
using ::testing::HasSubstr;

std::string Chunks(std::string_view body, std::size_t size) {
  std::string framed;
  for (std::size_t i = 0; i < body.size(); i += size) {
    const std::string_view chunk = body.substr(i, size);
    constexpr std::string_view kDigits = "0123456789abcdef";
    framed += kDigits[chunk.size() / 16];
    framed += kDigits[chunk.size() % 16];
    framed.append("\r\n").append(chunk).append("\r\n");
  }
  return framed + "0\r\n\r\n";
}

std::string BodyOf(const storage::EventStore& store, storage::Sequence sequence) {
  const auto record = store.ReadRecord(sequence);
  if (!record) return "(not stored)";
  const auto event = storage::Decode(*record);
  return event ? std::string(event->body) : "(not readable)";
}

TEST_F(ShardTest, ARequestMayArriveAByteAtATime) {
  Start();
  Client client = Connect();
  const std::string bytes = Delivery{.id = "slow"}.Bytes();
  for (const char byte : bytes) client.Send({&byte, 1});
  EXPECT_EQ(client.Read().body, R"({"status":"accepted","event_id":"slow","sequence":1})");
  EXPECT_EQ(BodyOf(*store_, 1), R"({"ref":"refs/heads/main"})");
}

TEST_F(ShardTest, ABodyOfManyReceiveBuffersIsStoredByteForByte) {
  Start();
  std::string body;
  while (body.size() < 3'000'000) body += std::to_string(body.size()) + ",";
  Client client = Connect();
  client.Send(Delivery{.body = body}.Bytes() + Delivery{.id = "behind it"}.Bytes());
  EXPECT_EQ(client.Read().status, 202);
  EXPECT_THAT(client.Read().body, HasSubstr("behind it"));
  EXPECT_EQ(BodyOf(*store_, 1), body);
  EXPECT_EQ(gate_.inflight_bytes.load(), 0);
}

TEST_F(ShardTest, AChunkedBodyIsVerifiedAndStoredWithoutItsFraming) {
  Start();
  const std::string body = R"({"some":"json, cut into pieces wherever it happens to be cut"})";
  const Delivery delivery{.body = Chunks(body, 7), .chunked = true, .signed_body = body};
  Client client = Connect();
  client.Send(delivery.Bytes());
  EXPECT_EQ(client.Read().status, 202);
  EXPECT_EQ(BodyOf(*store_, 1), body);
  for (const char byte : delivery.Bytes() + Delivery{.id = "next"}.Bytes()) client.Send({&byte, 1});
  EXPECT_EQ(client.Read().status, 200) << "the same event in other pieces is its duplicate";
  EXPECT_EQ(client.Read().status, 202);
}

TEST_F(ShardTest, AChunkedBodyPastItsLimitIs413) {
  Start();
  const std::string body(4000, 'x');
  Client client = Connect();
  client.Send(
      Delivery{.body = Chunks(body, 200), .source = "small", .chunked = true, .signed_body = body}.Bytes());
  EXPECT_EQ(client.Read().status, 413);
  EXPECT_TRUE(client.Ended());
}

TEST_F(ShardTest, ABodyIsInvitedOnlyAfterItsHeadWasAdmitted) {
  Start();
  const Delivery welcome{.extra_fields = "Expect: 100-continue\r\n"};
  Client client = Connect();
  client.Send(welcome.Head());
  EXPECT_EQ(client.Read().status, 100);
  client.Send(welcome.body);
  EXPECT_EQ(client.Read().status, 202);

  client.Send(
      Delivery{.body = std::string(5000, 'x'), .source = "small", .extra_fields = "Expect: 100-continue\r\n"}
          .Head());
  EXPECT_EQ(client.Read().status, 413);
  EXPECT_TRUE(client.Ended());
}

TEST_F(ShardTest, ABodyThatIsThereNeedsNoInvitation) {
  Start();
  Client client = Connect();
  client.Send(Delivery{.extra_fields = "Expect: 100-continue\r\n"}.Bytes());
  EXPECT_EQ(client.Read().status, 202);
}

TEST_F(ShardTest, AnInvitationWaitsForTheAnswersBeforeIt) {
  Start({.commit = false});
  const Delivery second{.id = "2", .extra_fields = "Expect: 100-continue\r\n"};
  Client client = Connect();
  client.Send(Delivery{.id = "1"}.Bytes() + second.Head());
  Acknowledge(NextAppend(), CommitOutcome::kStored, 1);
  EXPECT_EQ(client.Read().status, 202);
  EXPECT_EQ(client.Read().status, 100);
  client.Send(second.body);
  Acknowledge(NextAppend(), CommitOutcome::kStored, 2);
  EXPECT_EQ(client.Read().status, 202);
}

TEST_F(ShardTest, Http10ClosesUnlessItAsksToBeKept) {
  Start();
  Client client = Connect();
  client.Send(
      Delivery{.id = "1", .version = "HTTP/1.0", .extra_fields = "Connection: keep-alive\r\n"}.Bytes());
  Answer answer = client.Read();
  EXPECT_EQ(answer.status, 202);
  EXPECT_EQ(answer.version, "HTTP/1.0");
  EXPECT_THAT(answer.Field("Connection"), "keep-alive");
  client.Send(Delivery{.id = "2", .version = "HTTP/1.0"}.Bytes());
  answer = client.Read();
  EXPECT_EQ(answer.status, 202);
  EXPECT_THAT(answer.Field("Connection"), "close");
  EXPECT_TRUE(client.Ended());
}

TEST_F(ShardTest, NothingBehindTheLastRequestOfAConnectionIsExecuted) {
  Start();
  Client client = Connect();
  client.Send(Delivery{.id = "1", .extra_fields = "Connection: close\r\n"}.Bytes() +
              Delivery{.id = "2"}.Bytes());
  const Answer answer = client.Read();
  EXPECT_EQ(answer.status, 202);
  EXPECT_THAT(answer.Field("Connection"), "close");
  EXPECT_TRUE(client.Ended());
  EXPECT_EQ(store_->last_sequence(), 1u);
}

TEST_F(ShardTest, NothingBehindABrokenRequestIsExecutedAndWhatWasBeforeItIsAnsweredFirst) {
  Start();
  Client client = Connect();
  client.Send(Delivery{.id = "1"}.Bytes() +
              "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n" +
              Delivery{.id = "canary"}.Bytes());
  EXPECT_EQ(client.Read().status, 202);
  const Answer answer = client.Read();
  EXPECT_EQ(answer.status, 400);
  EXPECT_THAT(answer.Field("Connection"), "close");
  EXPECT_TRUE(client.Ended());
  EXPECT_EQ(store_->last_sequence(), 1u);
}

TEST_F(ShardTest, AnswersKeepTheOrderOfTheirRequestsWhateverTheOrderOfTheCommits) {
  Start({.commit = false});
  Client client = Connect();
  client.Send(Delivery{.id = "a"}.Bytes() + Delivery{.id = "b"}.Bytes() +
              Delivery{.id = "c", .secret = "no"}.Bytes() + Delivery{.id = "d"}.Bytes());
  const commit::Append a = NextAppend();
  const commit::Append b = NextAppend();
  const commit::Append d = NextAppend();
  Acknowledge(d, CommitOutcome::kStored, 3);
  Acknowledge(b, CommitOutcome::kDuplicate, 2);
  Acknowledge(a, CommitOutcome::kStored, 1);
  EXPECT_EQ(client.Read().body, R"({"status":"accepted","event_id":"a","sequence":1})");
  EXPECT_EQ(client.Read().body, R"({"status":"duplicate","event_id":"b","sequence":2})");
  EXPECT_EQ(client.Read().status, 401);
  EXPECT_EQ(client.Read().body, R"({"status":"accepted","event_id":"d","sequence":3})");
}

TEST_F(ShardTest, OneConnectionHasABoundedNumberOfRequestsInTheWorks) {
  Start({.commit = false});
  std::string requests;
  for (std::size_t i = 0; i < limits::kPipelinedRequestsMax + 9; ++i) {
    requests += Delivery{.id = "r" + std::to_string(i)}.Bytes();
  }
  Client client = Connect();
  client.Send(requests);
  std::vector<commit::Append> appends;
  appends.reserve(limits::kPipelinedRequestsMax);
  for (std::size_t i = 0; i < limits::kPipelinedRequestsMax; ++i) appends.push_back(NextAppend());
  Client other = Connect();  // its answer shows that the shard has had its turn
  other.Send("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(other.Read().status, 200);
  EXPECT_TRUE(NothingAppended());

  storage::Sequence sequence = 0;
  for (const commit::Append& append : appends) Acknowledge(append, CommitOutcome::kStored, ++sequence);
  for (int i = 0; i < 9; ++i) Acknowledge(NextAppend(), CommitOutcome::kStored, ++sequence);
  for (std::size_t i = 0; i < limits::kPipelinedRequestsMax + 9; ++i) {
    EXPECT_THAT(client.Read().body, HasSubstr("\"r" + std::to_string(i) + "\""));
  }
}

TEST_F(ShardTest, ThousandsOfPipelinedRequestsAreAllAnsweredInOrder) {
  Start();
  constexpr int kRequests = 3000;
  std::string requests;
  for (int i = 0; i < kRequests; ++i) requests += Delivery{.id = "r" + std::to_string(i)}.Bytes();
  Client client = Connect();
  client.Send(requests);
  for (int i = 0; i < kRequests; ++i) {
    const Answer answer = client.Read();
    ASSERT_THAT(answer.body, HasSubstr("\"r" + std::to_string(i) + "\"")) << answer.head;
  }
  EXPECT_EQ(store_->last_sequence(), static_cast<storage::Sequence>(kRequests));
}

TEST_F(ShardTest, AClientThatFinishedSendingStillGetsItsAnswers) {
  Start({.commit = false});
  Client client = Connect();
  client.Send(Delivery{.id = "1"}.Bytes() + Delivery{.id = "2"}.Bytes() + Delivery{.id = "cut off"}.Head());
  client.FinishSending();
  Acknowledge(NextAppend(), CommitOutcome::kStored, 1);
  Acknowledge(NextAppend(), CommitOutcome::kStored, 2);
  EXPECT_EQ(client.Read().status, 202);
  EXPECT_EQ(client.Read().status, 202);
  EXPECT_TRUE(client.Ended());
  EXPECT_TRUE(NothingAppended());
}

}  // namespace
}  // namespace weir::ingest
