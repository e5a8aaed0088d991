// What is started when both retries and new events wait.
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>

#include "engine/clock/clock.h"
#include "engine/deliver/delivery.h"
#include "tests/unit/deliver/worker_fixture.h"

namespace weir::deliver {
namespace {

using DeliveryTurns = WorkerTest;

TEST_F(DeliveryTurns, DueRetriesAndNewEventsTakeTurns) {
  ScriptedPeer peer;
  sink_.url = peer.url();
  sink_.concurrency = 8;
  AppendMany(0, 200);
  storage::SettlementBatch batch;
  batch.sink = sink_.name;
  batch.position = storage::SinkPosition{.offset = 100, .above = {}};
  for (Sequence sequence = 1; sequence <= 100; ++sequence) {
    batch.retries_added.push_back(
        {.sequence = sequence, .due_us = 1, .attempts = 1, .last_outcome = "503", .scheduled_at_us = 1});
  }
  ASSERT_TRUE(store_->Settle(batch));

  io::EventfdWake wake;
  commit::TailQueue tail{wake};
  observe::SinkProbe probe;
  auto delivery = Delivery::Create({.store = *store_,
                                    .sink = sink_,
                                    .routes = routes_,
                                    .probe = probe,
                                    .jitter_seed = 1,
                                    .on_failure = {}},
                                   tail, wake, clock::Read());
  ASSERT_TRUE(delivery) << delivery.error().message;
  (*delivery)->Start(clock::Read());
  EXPECT_EQ((*delivery)->InFlight(), 8u);
  ASSERT_TRUE(Eventually([&] {
    const clock::Now now = clock::Read();
    (*delivery)->TurnSink(now, now.monotonic_ms + 100);
    return peer.count() == 8;
  }));
  std::map<std::string, int> by_attempt;
  for (const PeerRequest& request : peer.requests()) ++by_attempt[request.Header("weir-attempt")];
  EXPECT_EQ(by_attempt["1"], 4);
  EXPECT_EQ(by_attempt["2"], 4);
}

}  // namespace
}  // namespace weir::deliver
