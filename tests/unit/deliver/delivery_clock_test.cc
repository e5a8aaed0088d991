// Retries and the wall clock: whatever it is set to, while weir runs or between two runs, none comes later than the
// delay it was scheduled with, and a second.
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "engine/clock/clock.h"
#include "engine/deliver/delivery.h"
#include "tests/unit/deliver/worker_fixture.h"

namespace weir::deliver {
namespace {

constexpr std::int64_t kHourUs = std::int64_t{3'600} * 1'000'000;
constexpr std::int64_t kDayUs = std::int64_t{24} * kHourUs;
constexpr std::int64_t kDelayMs = 5'000;
constexpr std::int64_t kSlackMs = 1'000;

class DeliveryClock : public WorkerTest, public testing::WithParamInterface<std::int64_t> {
 protected:
  struct Life {
    io::EventfdWake wake;
    commit::TailQueue tail{wake};
    observe::SinkProbe probe;
    std::unique_ptr<Delivery> delivery;
  };

  DeliveryClock() {
    sink_.kind = config::SinkKind::kFile;
    sink_.path = directory_ / "out.ndjson";
    sink_.retry = {.attempts = 9, .first_ms = kDelayMs, .factor = 2.0, .max_ms = 3'600'000, .jitter = 0};
    Append({{.id = "a"}});
  }

  // As a failed attempt at `now` leaves it.
  void StoreRetry(const clock::Now& now, std::int64_t scheduled_at_us) {
    storage::SettlementBatch batch;
    batch.sink = sink_.name;
    batch.position = storage::SinkPosition{.offset = 1, .above = {}};
    batch.retries_added = {{.sequence = 1,
                            .due_us = now.unix_us + kDelayMs * 1000,
                            .attempts = 1,
                            .last_outcome = "503",
                            .scheduled_at_us = scheduled_at_us}};
    ASSERT_TRUE(store_->Settle(batch));
  }
  std::unique_ptr<Life> Begin(const clock::Now& now) {
    auto life = std::make_unique<Life>();
    auto delivery = Delivery::Create({.store = *store_,
                                      .sink = sink_,
                                      .routes = routes_,
                                      .probe = life->probe,
                                      .jitter_seed = 1,
                                      .on_failure = {}},
                                     life->tail, life->wake, now);
    EXPECT_TRUE(delivery) << delivery.error().message;
    life->delivery = std::move(*delivery);
    return life;
  }
  // From `now`, in milliseconds; 0 when it is under way.
  static std::int64_t WaitOf(Delivery& delivery, const clock::Now& now) {
    delivery.Start(now);
    return delivery.InFlight() > 0 ? 0 : delivery.NextStartMs(now) - now.monotonic_ms;
  }

  const clock::Now then_{.monotonic_ms = 1'000'000, .unix_us = 1'767'225'600'000'000};
};

TEST_P(DeliveryClock, SetAtRunTimeDelaysNoRetry) {
  StoreRetry(then_, then_.unix_us);
  const auto life = Begin(then_);
  ASSERT_EQ(WaitOf(*life->delivery, then_), kDelayMs);
  const clock::Now later{.monotonic_ms = then_.monotonic_ms + 2'000,
                         .unix_us = then_.unix_us + 2'000'000 + GetParam()};
  EXPECT_EQ(WaitOf(*life->delivery, later), kDelayMs - 2'000) << "neither later nor earlier";
  const clock::Now due{.monotonic_ms = then_.monotonic_ms + kDelayMs,
                       .unix_us = then_.unix_us + kDelayMs * 1000 + GetParam()};
  EXPECT_EQ(WaitOf(*life->delivery, due), 0);
}

TEST_P(DeliveryClock, SetAtRunTimeMovesWhatTheStoreSays) {
  StoreRetry(then_, then_.unix_us);
  const auto life = Begin(then_);
  const clock::Now later{.monotonic_ms = then_.monotonic_ms, .unix_us = then_.unix_us + GetParam()};
  ASSERT_EQ(WaitOf(*life->delivery, later), kDelayMs);
  ASSERT_TRUE(life->delivery->WriteRest());
  ASSERT_EQ(Retries().size(), 1u) << "moved, not doubled";
  EXPECT_EQ(Retries()[0].due_us, later.unix_us + kDelayMs * 1000);
  EXPECT_EQ(Retries()[0].last_outcome, "503");
}

TEST_P(DeliveryClock, SetBetweenRunsDelaysNoRetry) {
  StoreRetry(then_, then_.unix_us);
  const clock::Now next_run{.monotonic_ms = 77, .unix_us = then_.unix_us + GetParam()};
  const auto life = Begin(next_run);
  EXPECT_LE(WaitOf(*life->delivery, next_run), kDelayMs + kSlackMs);
}

// A row of a build that did not keep when it was scheduled: what the policy allows bounds it.
TEST_P(DeliveryClock, SetBetweenRunsDelaysAnOlderRowByThePolicysLongestAtMost) {
  StoreRetry(then_, 0);
  const clock::Now next_run{.monotonic_ms = 77, .unix_us = then_.unix_us + GetParam()};
  const auto life = Begin(next_run);
  EXPECT_LE(WaitOf(*life->delivery, next_run), sink_.retry.max_ms);
}

INSTANTIATE_TEST_SUITE_P(Steps, DeliveryClock,
                         testing::Values(kHourUs, -kHourUs, kDayUs, -kDayUs, std::int64_t{40} * kDayUs,
                                         std::int64_t{-40} * kDayUs),
                         [](const auto& step) {
                           return (step.param < 0 ? "Back" : "Forward") +
                                  std::to_string(std::abs(step.param) / kHourUs) + "h";
                         });

TEST_F(DeliveryClock, StandingStillLeavesARetryWhereItIs) {
  StoreRetry(then_, then_.unix_us);
  const clock::Now restarted{.monotonic_ms = 77, .unix_us = then_.unix_us + 2'000'000};
  const auto life = Begin(restarted);
  EXPECT_EQ(WaitOf(*life->delivery, restarted), kDelayMs - 2'000);
  ASSERT_TRUE(life->delivery->WriteRest());
  EXPECT_EQ(Retries()[0].due_us, then_.unix_us + kDelayMs * 1000);
}

TEST_F(DeliveryClock, ClockSetBackLeavesADelayThatTheSinkAskedForAsItIs) {
  storage::SettlementBatch batch;
  batch.sink = sink_.name;
  batch.position = storage::SinkPosition{.offset = 1, .above = {}};
  batch.retries_added = {{.sequence = 1,
                          .due_us = then_.unix_us + kHourUs,
                          .attempts = 1,
                          .last_outcome = "429",
                          .scheduled_at_us = then_.unix_us}};
  ASSERT_TRUE(store_->Settle(batch));
  const clock::Now next_run{.monotonic_ms = 77, .unix_us = then_.unix_us - 24 * kHourUs};
  const auto life = Begin(next_run);
  EXPECT_EQ(WaitOf(*life->delivery, next_run), kHourUs / 1000);
}

}  // namespace
}  // namespace weir::deliver
