// Connections that end, slots that are used again, and a shard that is told to stop or to serve other
// sources.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <string>
#include <vector>

#include "tests/support/eventually.h"
#include "tests/unit/ingest/shard_fixture.h"

namespace weir::ingest {
namespace {

using commit::CommitOutcome;
using ::testing::HasSubstr;

void AwaitConnections(const observe::ShardProbe& probe, std::int64_t count) {
  ASSERT_TRUE(tests::Eventually([&] { return probe.connections.value() == count; }));
}

TEST_F(ShardTest, ALateAcknowledgementNeverReachesTheNextUserOfItsSlot) {
  Start({.commit = false});
  Client first = Connect();
  first.Send(Delivery{.id = "first"}.Bytes());
  const commit::Append late = NextAppend();
  first.Reset();
  AwaitConnections(probe_, 0);
  Client second = Connect();
  second.Send(Delivery{.id = "second"}.Bytes());
  const commit::Append next = NextAppend();
  EXPECT_EQ(next.ticket.slot, late.ticket.slot);
  EXPECT_NE(next.ticket.generation, late.ticket.generation);
  EXPECT_NE(next.ticket.request, late.ticket.request)
      << "the place of an answer that is owed is not given away";
  Acknowledge(late, CommitOutcome::kStored, 1);
  Acknowledge(next, CommitOutcome::kStored, 2);
  EXPECT_EQ(second.Read().body, R"({"status":"accepted","event_id":"second","sequence":2})");
  second.Send(Delivery{.id = "third"}.Bytes());
  EXPECT_EQ(NextAppend().ticket.request, next.ticket.request) << "and is given away once it was acknowledged";
}

TEST_F(ShardTest, AConnectionThatIsResetHalfwayLeavesNothingBehind) {
  Start();
  for (int i = 0; i < 50; ++i) {
    Client client = Connect();
    client.Send(Delivery{.body = std::string(50'000, 'x')}.Bytes().substr(0, 40'000));
    client.Reset();
  }
  AwaitConnections(probe_, 0);
  Client client = Connect();
  client.Send(Delivery{}.Bytes());
  EXPECT_EQ(client.Read().status, 202);
  EXPECT_EQ(store_->last_sequence(), 1u);
  shard_->Stop(0);
  EXPECT_EQ(gate_.inflight_bytes.load(), 0);
}

TEST_F(ShardTest, ManyConnectionsAtOnceAreAllServed) {
  Start();
  std::vector<Client> clients;
  clients.reserve(600);
  for (int i = 0; i < 600; ++i) clients.push_back(Connect());
  for (std::size_t i = 0; i < clients.size(); ++i)
    clients[i].Send(Delivery{.id = "c" + std::to_string(i)}.Bytes());
  for (std::size_t i = 0; i < clients.size(); ++i) {
    EXPECT_THAT(clients[i].Read().body, HasSubstr("\"c" + std::to_string(i) + "\""));
  }
  EXPECT_EQ(probe_.connections.value(), 600);
  EXPECT_EQ(store_->last_sequence(), 600u);
}

TEST_F(ShardTest, StoppingAnswersWhatIsInFlightAndClosesTheRest) {
  Start({.commit = false});
  Client idle = Connect();
  idle.Send("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(idle.Read().status, 200);
  Client busy = Connect();
  busy.Send(Delivery{}.Bytes());
  const commit::Append append = NextAppend();
  auto stopped = std::async(std::launch::async, [&] { shard_->Stop(10'000); });
  EXPECT_TRUE(idle.Ended());
  Acknowledge(append, CommitOutcome::kStored, 1);
  const Answer answer = busy.Read();
  EXPECT_EQ(answer.status, 202);
  EXPECT_THAT(answer.Field("Connection"), "close");
  EXPECT_TRUE(busy.Ended());
  busy.Reset();
  stopped.get();
  EXPECT_EQ(probe_.connections.value(), 0);
}

TEST_F(ShardTest, AClosedGateEndsConnectionsWithTheirNextAnswer) {
  Start();
  Client client = Connect();
  client.Send(Delivery{.id = "1"}.Bytes() + Delivery{.id = "2"}.Head());
  EXPECT_EQ(client.Read().status, 202);
  gate_.accepting = false;
  client.Send(Delivery{.id = "2"}.body);
  // The shard may have looked at the gate before or after the body came; what it answers later says close.
  Answer answer = client.Read();
  EXPECT_EQ(answer.status, 202);
  EXPECT_TRUE(client.Ended());
}

TEST_F(ShardTest, ADrainThatTakesTooLongIsCutOff) {
  Start({.commit = false});
  Client client = Connect();
  client.Send(Delivery{}.Bytes());
  const commit::Append append = NextAppend();
  shard_->Stop(30);
  EXPECT_EQ(client.Read().status, 0) << "no answer: the event was not acknowledged";
  Acknowledge(append, CommitOutcome::kStored, 1);  // may still come, and is of no consequence
}

TEST_F(ShardTest, NewSourcesServeTheNextRequestAndNotTheOneThatIsUnderWay) {
  Start();
  Client client = Connect();
  const Delivery underway{.id = "old"};
  client.Send(underway.Head());
  Client other = Connect();
  other.Send("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(other.Read().status, 200);
  shard_->SwapSources(MakeSources({"renamed"}));
  other.Send(Delivery{.id = "new", .source = "renamed"}.Bytes());
  EXPECT_EQ(other.Read().status, 202);
  other.Send(Delivery{.id = "gone"}.Bytes());
  EXPECT_EQ(other.Read().status, 404);
  client.Send(underway.body);
  EXPECT_EQ(client.Read().status, 202) << "admitted under the old sources";
}

// A 404 or 401 that is wrong by a few microseconds is as wrong as any: the sender may never come back.
TEST_F(ShardTest, WhatIsSentAfterTheSourcesWereSwappedMeetsTheNewOnes) {
  Start();
  Client client = Connect();
  const std::string requests[] = {Delivery{.id = "d", .source = "even"}.Bytes(),
                                  Delivery{.id = "d", .source = "odd"}.Bytes()};
  for (std::size_t i = 0; i < 1000; ++i) {
    shard_->SwapSources(MakeSources({i % 2 == 0 ? "even" : "odd"}));
    client.Send(requests[i % 2]);
    ASSERT_EQ(client.Read().status, i < 2 ? 202 : 200) << "swap " << i;
  }
}

TEST_F(ShardTest, APortThatIsTakenIsAnErrorBeforeAnythingRuns) {
  Start({.commit = false});
  Gate gate;
  observe::ShardProbe probe;
  commit::AppendQueue appends;
  const auto second = Shard::Create({.index = 0,
                                     .listen = shard_->bound(),
                                     .limits = {},
                                     .ack = config::AckMode::kFsync,
                                     .sources = MakeSources({}),
                                     .appends = appends,
                                     .gate = gate,
                                     .probe = probe,
                                     .seed = 1});
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error(), HasSubstr("EADDRINUSE"));
}

}  // namespace
}  // namespace weir::ingest
