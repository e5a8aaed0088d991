// What a client may not do, and that it is told so.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <string>
#include <vector>

#include "engine/limits.h"
#include "tests/support/eventually.h"
#include "tests/unit/ingest/shard_fixture.h"

namespace weir::ingest {
namespace {

using commit::CommitOutcome;
using observe::RejectionCode;
using ::testing::Each;
using ::testing::HasSubstr;

TEST_F(ShardTest, APostWithoutALengthIs411) {
  Start();
  Client client = Connect();
  client.Send(Delivery{.with_length = false}.Head());
  EXPECT_EQ(client.Read().status, 411);
  EXPECT_TRUE(client.Ended());
  EXPECT_EQ(Rejected("hooks", RejectionCode::kLengthRequired), 1u);
}

TEST_F(ShardTest, ABodyPastTheLimitOfItsSourceIs413BeforeItIsRead) {
  Start();
  Client client = Connect();
  client.Send(Delivery{.body = std::string(5000, 'x'), .source = "small"}.Head());
  const Answer answer = client.Read();
  EXPECT_EQ(answer.status, 413);
  EXPECT_THAT(answer.body, HasSubstr("body_too_large"));
  EXPECT_TRUE(client.Ended());
}

TEST_F(ShardTest, AnEarlyAnswerIsReadableThoughTheBodyIsStillBeingSent) {
  Start();
  Client client = Connect();
  client.Send(Delivery{.body = std::string(8'000'000, 'x')}.Bytes());
  EXPECT_EQ(client.Read().status, 413);
  EXPECT_TRUE(client.Ended());
}

TEST_F(ShardTest, AHeadPastTheLimitIs431) {
  Start({.limits = {.header_bytes = 4096}});
  Client client = Connect();
  client.Send(Delivery{.extra_fields = "X-Long: " + std::string(5000, 'x') + "\r\n"}.Bytes());
  EXPECT_EQ(client.Read().status, 431);
  EXPECT_TRUE(client.Ended());
  Client slow = Connect();
  slow.Send("POST /webhooks/hooks HTTP/1.1\r\nHost: x\r\nX-Long: ");
  for (int i = 0; i < 60; ++i) slow.Send(std::string(100, 'x'));
  EXPECT_EQ(slow.Read().status, 431);
  EXPECT_TRUE(slow.Ended());
  EXPECT_EQ(Rejected("hooks", RejectionCode::kHeadersTooLarge), 2u);
}

// Whoever watches a source sees what its sender is refused for, however early that was.
TEST_F(ShardTest, WhatIsRefusedBeforeItIsAdmittedCountsForTheSourceOfItsPath) {
  Start({.limits = {.header_timeout_ms = 30}});
  const std::string line = "POST /webhooks/hooks HTTP/1.1\r\nHost: x\r\n";
  const struct {
    std::string bytes;
    RejectionCode code;
  } cases[] = {
      {line + "Content-Length: 1\r\nContent-Length: 1\r\n\r\n", RejectionCode::kBadContentLength},
      {line + "Transfer-Encoding: gzip\r\n\r\n", RejectionCode::kBadTransferEncoding},
      {line + "Transfer-Encoding: chunked\r\n\r\nzz\r\n", RejectionCode::kBadChunk},
      {line + "Expect: more\r\n\r\n", RejectionCode::kExpectationFailed},
      {line + "Host: y\r\n\r\n", RejectionCode::kInvalidHost},
      {line + ": nameless\r\n\r\n", RejectionCode::kMalformedRequest},
      {line + "X-Half: ", RejectionCode::kTimeout},
  };
  for (const auto& refused : cases) {
    Client client = Connect();
    client.Send(refused.bytes);
    client.Read();
    EXPECT_TRUE(client.Ended()) << refused.bytes;
    EXPECT_EQ(Rejected("hooks", refused.code), 1u) << refused.bytes;
  }
}

TEST_F(ShardTest, WhatNamesNoSourceCountsForNone) {
  Start({});
  for (const std::string bytes : {"POST /webhooks/nobody HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
                                  "POST /webhooks/hooks HTTP/2.0\r\nHost: x\r\n\r\n"}) {
    Client client = Connect();
    client.Send(bytes);
    client.Read();
    EXPECT_TRUE(client.Ended()) << bytes;
  }
  EXPECT_EQ(Rejected("", RejectionCode::kInvalidHost), 1u);
  EXPECT_EQ(Rejected("", RejectionCode::kVersionNotSupported), 1u);
}

TEST_F(ShardTest, AHeadThatStopsHalfwayIs408) {
  Start({.limits = {.header_timeout_ms = 30}});
  Client client = Connect();
  client.Send("POST /webhooks/ho");
  EXPECT_EQ(client.Read().status, 408);
  EXPECT_TRUE(client.Ended());
  EXPECT_EQ(Rejected("", RejectionCode::kTimeout), 1u);
}

TEST_F(ShardTest, ABodyThatStopsHalfwayIs408) {
  Start({.limits = {.body_timeout_ms = 30}});
  Client client = Connect();
  client.Send(Delivery{.body = std::string(5000, 'x')}.Bytes().substr(0, 1500));
  EXPECT_EQ(client.Read().status, 408);
  EXPECT_TRUE(client.Ended());
  EXPECT_EQ(Rejected("hooks", RejectionCode::kTimeout), 1u);
  shard_->Stop(0);
  EXPECT_EQ(gate_.inflight_bytes.load(), 0);
}

TEST_F(ShardTest, AnIdleConnectionIsClosedWithoutAWord) {
  Start({.limits = {.idle_timeout_ms = 30}});
  Client silent = Connect();
  EXPECT_TRUE(silent.Ended());
  Client once = Connect();
  once.Send(Delivery{}.Bytes());
  EXPECT_EQ(once.Read().status, 202);
  EXPECT_TRUE(once.Ended());
}

TEST_F(ShardTest, WaitingForACommitIsNotIdling) {
  Start({.limits = {.idle_timeout_ms = 20}, .commit = false});
  Client client = Connect();
  client.Send(Delivery{}.Bytes());
  const commit::Append append = NextAppend();
  Client idle = Connect();
  EXPECT_TRUE(idle.Ended()) << "by now the first connection has waited at least as long";
  Acknowledge(append, CommitOutcome::kStored, 1);
  EXPECT_EQ(client.Read().status, 202);
}

TEST_F(ShardTest, AConnectionTooManyIsToldToComeBack) {
  gate_.connections_max.store(2);
  gate_.refusals_max.store(1);
  Start({.commit = false});
  Client first = Connect();
  first.Send(Delivery{.id = "1"}.Bytes());
  const commit::Append one = NextAppend();
  Client second = Connect();
  second.Send(Delivery{.id = "2"}.Bytes());
  const commit::Append two = NextAppend();
  Client third = Connect();
  const Answer answer = third.Read();
  EXPECT_EQ(answer.status, 503);
  EXPECT_TRUE(answer.Field("Retry-After"));
  EXPECT_TRUE(third.Ended());
  Acknowledge(one, CommitOutcome::kStored, 1);
  EXPECT_EQ(first.Read().status, 202);
  Acknowledge(two, CommitOutcome::kStored, 2);
  EXPECT_EQ(second.Read().status, 202);
}

TEST_F(ShardTest, WhoWaitsForADiskThatDoesNotAnswerIsToldToComeBack) {
  Start({.commit = false});
  Client waiting = Connect();
  waiting.Send(Delivery{.id = "1"}.Bytes());
  const commit::Append append = NextAppend();
  gate_.commit_overdue.store(true);
  const Answer told = waiting.Read();
  EXPECT_EQ(told.status, 503);
  EXPECT_TRUE(told.Field("Retry-After"));
  Client newcomer = Connect();
  newcomer.Send(Delivery{.id = "2"}.Head());
  EXPECT_EQ(newcomer.Read().status, 503) << "before its body is read";
  gate_.commit_overdue.store(false);
  Acknowledge(append, CommitOutcome::kStored, 1);
  waiting.Send(Delivery{.id = "3"}.Bytes());
  Acknowledge(NextAppend(), CommitOutcome::kStored, 2);
  EXPECT_EQ(waiting.Read().status, 202) << "the late commit of the first is nobody's answer";
}

TEST_F(ShardTest, BytesInFlightAreBoundedBeforeTheBodyIsRead) {
  Start({.limits = {.inflight_bytes = 64 << 10}});
  Client client = Connect();
  client.Send(Delivery{.body = std::string(100'000, 'x')}.Head());
  EXPECT_EQ(client.Read().status, 503);
  Client modest = Connect();
  modest.Send(Delivery{}.Bytes());
  EXPECT_EQ(modest.Read().status, 202);
}

TEST_F(ShardTest, BytesInFlightAreBoundedWhileBodiesGrow) {
  Start({.limits = {.inflight_bytes = 100'000}});
  const Delivery delivery{.body = std::string(60'000, 'x'), .extra_fields = "Expect: 100-continue\r\n"};
  Client first = Connect();
  Client second = Connect();
  for (Client* client : {&first, &second}) {  // each may come, both together not
    client->Send(delivery.Head());
    ASSERT_EQ(client->Read().status, 100);
  }
  first.Send(delivery.body.substr(0, 59'000));
  ASSERT_TRUE(tests::Eventually([&] { return gate_.inflight_bytes.load() >= 60'000; }));
  second.Send(delivery.body.substr(0, 59'000));
  EXPECT_EQ(second.Read().status, 503);
  EXPECT_TRUE(second.Ended());
  first.Send(delivery.body.substr(59'000));
  EXPECT_EQ(first.Read().status, 202);
  shard_->Stop(0);
  EXPECT_EQ(gate_.inflight_bytes.load(), 0);
}

TEST_F(ShardTest, RequestsOfOneTurnShareWhatMayStillBeWrittenToTheDisk) {
  Start({.commit = false});
  gate_.disk_budget_bytes = 5'000;
  Client client = Connect();
  const std::string body(3'000, 'x');
  client.Send(Delivery{.id = "1", .body = body}.Bytes() + Delivery{.id = "2", .body = body}.Bytes());
  Acknowledge(NextAppend(), CommitOutcome::kStored, 1);
  EXPECT_EQ(client.Read().status, 202);
  EXPECT_EQ(client.Read().status, 503);
}

TEST_F(ShardTest, ACommitThatCannotBeHadIs503) {
  Start({.commit = false});
  Client client = Connect();
  client.Send(Delivery{}.Bytes());
  Acknowledge(NextAppend(), CommitOutcome::kUnavailable, storage::kNoSequence);
  const Answer answer = client.Read();
  EXPECT_EQ(answer.status, 503);
  EXPECT_TRUE(answer.Field("Retry-After"));
  client.Send(Delivery{}.Bytes());
  Acknowledge(NextAppend(), CommitOutcome::kStored, 1);
  EXPECT_EQ(client.Read().status, 202);
}

TEST_F(ShardTest, ACommitterThatIsFarBehindIs503) {
  Start({.commit = false});
  auto producer = appends_.MakeProducer();
  std::vector<commit::Append> others(limits::kCommitQueueEvents);
  ASSERT_TRUE(appends_.TryPush(producer, others));
  Client client = Connect();
  client.Send(Delivery{}.Bytes());
  EXPECT_EQ(client.Read().status, 503);
  ASSERT_EQ(appends_.Pop(others), limits::kCommitQueueEvents);
  client.Send(Delivery{}.Bytes());
  Acknowledge(NextAppend(), CommitOutcome::kStored, 1);
  EXPECT_EQ(client.Read().status, 202);
}

// A kernel that is asked to accept without a free descriptor fails at once, again and again, while the
// connections wait in the backlog and nobody would ever answer them.
TEST_F(ShardTest, WithoutDescriptorsConnectionsAreRefusedAndTakenAgainLater) {
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit few{.rlim_cur = 128, .rlim_max = before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &few), 0);  // before the accept is armed: that is when the kernel looks
  Start({.commit = false});
  Client served = Connect();  // all its life: the shard has what descriptors it needs before there are none
  served.Send("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
  ASSERT_EQ(served.Read().status, 200);
  const auto target = io::NumericAddress("127.0.0.1", shard_->bound().front().port);
  std::vector<io::Descriptor> sockets;
  sockets.reserve(3);
  for (int i = 0; i < 3; ++i) sockets.push_back(std::move(*io::OpenStream(AF_INET)));
  std::vector<io::Descriptor> fillers;
  for (int fd = dup(0); fd >= 0; fd = dup(0)) fillers.emplace_back(fd);
  std::array<std::string, 3> answers;  // judged later: a sanitizer needs a descriptor to look at a matcher
  for (std::size_t i = 0; i < sockets.size(); ++i) {
    ASSERT_EQ(connect(sockets[i].get(), target->get(), target->length), 0);
    answers[i].resize(64);
    ASSERT_GT(recv(sockets[i].get(), answers[i].data(), answers[i].size(), 0), 0);
  }
  fillers.clear();
  EXPECT_THAT(answers, Each(HasSubstr("503 Service Unavailable")));
  sockets.clear();
  Answer answer;
  for (int attempt = 0; attempt < 1000 && answer.status != 200; ++attempt) {
    Client client = Connect();
    client.Send("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
    answer = client.Read();
  }
  EXPECT_EQ(answer.status, 200);
  setrlimit(RLIMIT_NOFILE, &before);
}

}  // namespace
}  // namespace weir::ingest
