// A delivery that ends at any moment, as a killed process does, and another that goes on from what was
// written.
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <set>
#include <string>

#include "engine/deliver/delivery.h"
#include "tests/unit/deliver/worker_fixture.h"

namespace weir::deliver {
namespace {

Now ReadClocks() {
  using namespace std::chrono;
  return {.monotonic_ms = duration_cast<milliseconds>(steady_clock::now().time_since_epoch()).count(),
          .unix_us = duration_cast<microseconds>(system_clock::now().time_since_epoch()).count()};
}

class DeliveryCrash : public WorkerTest {
 protected:
  struct Life {
    io::EventfdWake wake;
    commit::TailQueue tail{wake};
    observe::SinkProbe probe;
    std::unique_ptr<Delivery> delivery;
  };
  std::unique_ptr<Life> Begin(std::uint64_t seed = 1) {
    auto life = std::make_unique<Life>();
    auto delivery = Delivery::Create({.store = *store_,
                                      .sink = sink_,
                                      .routes = routes_,
                                      .probe = life->probe,
                                      .jitter_seed = seed,
                                      .on_failure = {}},
                                     life->tail, life->wake, ReadClocks());
    EXPECT_TRUE(delivery) << delivery.error().message;
    life->delivery = std::move(*delivery);
    return life;
  }
};

TEST_F(DeliveryCrash, BetweenSuccessAndSettlementMeansOneDuplicate) {
  ScriptedPeer peer;
  sink_.url = peer.url();
  AppendMany(0, 5);
  {
    const auto life = Begin();
    life->delivery->Start(ReadClocks());
    ASSERT_TRUE(Eventually([&] {
      life->delivery->TurnSink(ReadClocks(), ReadClocks().monotonic_ms + 100);
      life->delivery->Conclude(ReadClocks());
      return life->delivery->InFlight() == 0;
    }));
  }
  EXPECT_EQ(StoredOffset(), 0u);
  Run();
  EXPECT_TRUE(OffsetReachesTheEnd());
  for (const auto& [id, times] : CountsById(peer)) EXPECT_EQ(times, 2) << id;
}

TEST_F(DeliveryCrash, BeforeTheFailureIsWrittenMeansTheSameAttemptAgain) {
  ScriptedPeer peer([](const PeerRequest& request) -> PeerAnswer {
    return {.status = request.connection == 1 ? 500 : 200};
  });
  sink_.url = peer.url();
  Append({{.id = "a"}});
  {
    const auto life = Begin();
    life->delivery->Start(ReadClocks());
    ASSERT_TRUE(Eventually([&] {
      life->delivery->TurnSink(ReadClocks(), ReadClocks().monotonic_ms + 100);
      life->delivery->Conclude(ReadClocks());
      return life->delivery->InFlight() == 0;
    }));
  }
  Run();
  ASSERT_TRUE(peer.WaitForRequests(2));
  EXPECT_EQ(peer.requests()[1].Header("weir-attempt"), "1");
}

// Crashes at random moments, a sink that fails in random ways, from a seed: in the end every event has
// reached the sink or is dead for a reason, never neither, and the store agrees.
TEST_F(DeliveryCrash, WheneverItHappensEveryEventIsDeliveredOrDead) {
  constexpr std::size_t kEvents = 400;
  std::mt19937_64 random(20261121);
  std::mutex taken_mutex;
  std::set<std::string> taken;  // ids the sink said 2xx to; under taken_mutex
  std::mt19937_64 moods(7);
  ScriptedPeer peer([&](const PeerRequest& request) -> PeerAnswer {
    switch (moods() % 10) {
      case 0:
        return {.status = 500};
      case 1:
        return {.status = 410};
      case 2:
        return {.kind = PeerAnswer::Kind::kReset};
      case 3:
        return {.kind = PeerAnswer::Kind::kClose};
      case 4:
        return {.status = 503, .fields = "Retry-After: 0\r\n"};
      default: {
        const std::lock_guard lock(taken_mutex);
        taken.insert(request.Header("ce-id"));
        return {};
      }
    }
  });
  sink_.url = peer.url();
  sink_.concurrency = 8;
  sink_.retry = {.attempts = 4, .first_ms = 1, .factor = 1.5, .max_ms = 5, .jitter = 0.5};
  AppendMany(0, kEvents / 2, 20);

  int crashes = 0;
  while (StoredOffset() < kEvents || !Retries().empty()) {
    const auto life = Begin(random());
    if (crashes == 5) AppendMany(kEvents / 2, kEvents / 2, 20);
    const std::uint64_t turns = random() % 60;
    for (std::uint64_t turn = 0; turn < turns; ++turn) {
      const Now now = ReadClocks();
      life->delivery->Conclude(now);
      life->delivery->Start(now);
      if (random() % 4 == 0) {
        ASSERT_TRUE(life->delivery->WriteIfDue(now));
      }
      life->delivery->TurnSink(now, std::min(life->delivery->NextStartMs(now), now.monotonic_ms + 5));
    }
    if (random() % 2 == 0) {
      ASSERT_TRUE(life->delivery->WriteRest());
    }
    ASSERT_LT(++crashes, 5'000);
  }

  std::set<std::string> dead;
  for (const storage::DeadLetter& letter : DeadLetters()) {
    EXPECT_TRUE(letter.reason == "410" || letter.reason == "attempts_exhausted") << letter.reason;
    dead.insert("evt_" + std::to_string(letter.sequence - 1));
  }
  // A request of a life that crashed may only be reaching the sink now.
  const std::lock_guard lock(taken_mutex);
  for (std::size_t i = 0; i < kEvents; ++i) {
    const std::string id = "evt_" + std::to_string(i);
    EXPECT_TRUE(taken.contains(id) || dead.contains(id)) << id << " after " << crashes << " crashes";
  }
  EXPECT_GT(dead.size(), 0u);
}

}  // namespace
}  // namespace weir::deliver
