// Age by what was seen to pass, whatever the clock says.
#include "storage/timeline.h"

#include <gtest/gtest.h>

#include "storage/limits.h"
#include "tests/unit/storage/store_fixture.h"

namespace weir::storage {
namespace {

constexpr std::int64_t kMinuteUs = 60 * kSecondUs;
constexpr std::int64_t kHourUs = 60 * kMinuteUs;
constexpr std::int64_t kDayUs = 24 * kHourUs;
constexpr std::int64_t kSteps[] = {kHourUs, -kHourUs, kDayUs, -kDayUs, 40 * kDayUs, -40 * kDayUs};

Clocks At(std::int64_t passed_us, std::int64_t step_us = 0) {
  return {.unix_us = kNowUs + passed_us + step_us, .monotonic_us = passed_us};
}

TEST(TimelineTest, BelievesAStampThatLiesBetweenItsTicks) {
  Timeline time;
  time.GoOn({}, std::nullopt, {});
  time.Tell(At(0));
  time.AddTick(0, 1);
  time.Tell(At(kMinuteUs));
  time.AddTick(10, 1);
  EXPECT_EQ(time.ReceivedAt(5, kNowUs + 20 * kSecondUs).latest_us, kNowUs + 20 * kSecondUs);
  EXPECT_EQ(time.ReceivedAt(5, kNowUs + kDayUs).latest_us, kNowUs + kMinuteUs) << "as young as it can be";
  EXPECT_EQ(time.ReceivedAt(5, kNowUs - kDayUs).latest_us, kNowUs + kMinuteUs);
  EXPECT_EQ(time.ReceivedAt(5, kNowUs - kDayUs).earliest_us, kNowUs);
}

TEST(TimelineTest, AStepOfTheClockMovesNoEvent) {
  for (const std::int64_t step_us : kSteps) {
    Timeline time;
    time.GoOn({}, std::nullopt, {});
    time.Tell(At(0));
    time.AddTick(0, 1);
    time.Tell(At(kMinuteUs, step_us));
    const std::int64_t stamp_us = kNowUs + 30 * kSecondUs;
    EXPECT_GE(time.ReceivedAt(1, stamp_us).latest_us, stamp_us) << step_us;
    EXPECT_LE(time.ReceivedAt(1, stamp_us).latest_us, kNowUs + kMinuteUs) << step_us;
    EXPECT_EQ(time.ReceivedAt(1, stamp_us + step_us + 10 * kSecondUs).latest_us, stamp_us + 10 * kSecondUs);
    EXPECT_EQ(time.Now(), kNowUs + kMinuteUs) << step_us;
    EXPECT_EQ(time.ClockSteps().count, 1u);
    EXPECT_EQ(time.ClockSteps().last_us, step_us);
  }
}

TEST(TimelineTest, NeverGoesBackForAReadingThatComesLate) {
  Timeline time;
  time.GoOn({}, std::nullopt, {});
  time.Tell(At(2 * kMinuteUs));
  time.Tell(At(3 * kMinuteUs));
  time.Tell(At(kMinuteUs));
  EXPECT_EQ(time.Now(), kNowUs + 3 * kMinuteUs);
  EXPECT_EQ(time.ClockSteps().count, 0u);
}

TEST(TimelineTest, GoesOnBetweenRunsByTheUptimeOfTheMachine) {
  for (const std::int64_t step_us : kSteps) {
    Timeline time;
    const Timeline::Left left{.at_us = kNowUs, .unix_us = kNowUs, .uptime = {.boot_id = "a", .us = kDayUs}};
    time.GoOn({}, left, {.boot_id = "a", .us = kDayUs + kHourUs});
    time.Tell({.unix_us = kNowUs + kHourUs + step_us, .monotonic_us = 77});
    EXPECT_EQ(time.Now(), kNowUs + kHourUs) << step_us;
    EXPECT_EQ(time.ClockSteps().count, 1u);
  }
}

TEST(TimelineTest, WhatPassedWhileTheMachineWasOffDoesNotCount) {
  Timeline time;
  const Timeline::Left left{.at_us = kNowUs, .unix_us = kNowUs, .uptime = {.boot_id = "a", .us = kDayUs}};
  time.GoOn({}, left, {.boot_id = "b", .us = kMinuteUs});
  time.Tell({.unix_us = kNowUs + kDayUs, .monotonic_us = 77});
  EXPECT_EQ(time.Now(), kNowUs);
  EXPECT_EQ(time.ClockSteps().count, 0u) << "nobody saw a step either";
}

TEST(TimelineTest, ThinsOutWhatIsOldAndKeepsWhatIsNew) {
  Timeline time;
  time.GoOn({}, std::nullopt, {});
  std::size_t kept = 0;
  for (std::size_t i = 0; i < 3 * limits::kTicksMax; ++i) {
    time.Tell(At(static_cast<std::int64_t>(i) * kMinuteUs));
    const Timeline::Change change = time.AddTick(i, 1);
    kept += 1 - change.removed.size();
  }
  EXPECT_LE(kept, limits::kTicksMax);
  const auto newest = static_cast<std::int64_t>(3 * limits::kTicksMax - 1);
  EXPECT_EQ(time.ThroughAt(kNowUs + (newest - 5) * kMinuteUs), static_cast<Sequence>(newest - 5));
}

class ClockSteps : public StoreTest, public testing::WithParamInterface<std::int64_t> {
 protected:
  void SetUp() override { options.uptime = {.boot_id = "a", .us = 0}; }
  void Tell(std::int64_t passed_us, std::int64_t step_us = 0) {
    store->Tell({.unix_us = kNowUs + passed_us + step_us, .monotonic_us = passed_us});
    ASSERT_TRUE(store->MarkTime());
  }
  AppendOutcome Send(const std::string& id, std::int64_t passed_us, std::int64_t step_us = 0) {
    return CommitOne({.id = id, .received_at_us = kNowUs + passed_us + step_us}, kHourUs * 2).outcome;
  }
  // Opens it again after `passed_us` in all.
  void Restart(std::int64_t passed_us) {
    options.uptime.us = passed_us;
    Reopen();
  }
};

TEST_P(ClockSteps, AtRunTimeOpenNoWindowAndForgetNothingEarly) {
  Open();
  Tell(0);
  EXPECT_EQ(Send("a", 10 * kSecondUs), AppendOutcome::kStored);
  Tell(kMinuteUs, GetParam());
  EXPECT_EQ(Send("b", kMinuteUs, GetParam()), AppendOutcome::kStored);
  EXPECT_EQ(Send("a", kMinuteUs, GetParam()), AppendOutcome::kDuplicate);
  EXPECT_EQ(store->FirstYoungerThan(kHourUs), 1u);
  EXPECT_EQ(store->TrimBefore(3, {}), 1u);
  Tell(2 * kMinuteUs);  // and back
  EXPECT_EQ(Send("a", 2 * kMinuteUs), AppendOutcome::kDuplicate);
  EXPECT_EQ(Send("b", 2 * kMinuteUs), AppendOutcome::kDuplicate);
  EXPECT_EQ(store->FirstYoungerThan(kHourUs), 1u);
  EXPECT_EQ(Send("c", 2 * kMinuteUs), AppendOutcome::kStored);
  // The window ends when it has passed, and so does the retention.
  Tell(2 * kHourUs + 4 * kMinuteUs);
  EXPECT_GT(*store->FirstYoungerThan(2 * kHourUs), 2u);
  EXPECT_EQ(Send("a", 2 * kHourUs + 4 * kMinuteUs), AppendOutcome::kStored);
  EXPECT_EQ(Send("b", 2 * kHourUs + 4 * kMinuteUs), AppendOutcome::kStored);
}

TEST_P(ClockSteps, BetweenRunsOpenNoWindowAndForgetNothingEarly) {
  Open();
  Tell(0);
  EXPECT_EQ(Send("a", 10 * kSecondUs), AppendOutcome::kStored);
  Tell(kMinuteUs);
  Restart(3 * kMinuteUs);
  Tell(3 * kMinuteUs, GetParam());
  EXPECT_EQ(store->StepsOfClock().count, 1u);
  EXPECT_EQ(Send("a", 3 * kMinuteUs, GetParam()), AppendOutcome::kDuplicate);
  EXPECT_EQ(store->FirstYoungerThan(kHourUs), 1u);
  EXPECT_EQ(Send("b", 3 * kMinuteUs, GetParam()), AppendOutcome::kStored);
  Restart(4 * kMinuteUs);
  Tell(4 * kMinuteUs);
  EXPECT_EQ(Send("a", 4 * kMinuteUs), AppendOutcome::kDuplicate);
  EXPECT_EQ(Send("b", 4 * kMinuteUs), AppendOutcome::kDuplicate);
  EXPECT_EQ(store->FirstYoungerThan(kHourUs), 1u);
  EXPECT_EQ(store->TrimBefore(2, {}), 1u);
}

TEST_P(ClockSteps, LetNoRunOfTheIndexGoEarly) {
  options.dedupe_head_events = 100;
  Open();
  Tell(0);
  Fill(300);
  Tell(kMinuteUs, GetParam());
  std::vector<Arrival> group;
  group.reserve(300);
  for (int i = 0; i < 300; ++i)
    group.push_back({.id = "b" + std::to_string(i), .received_at_us = kNowUs + kMinuteUs + GetParam()});
  Commit(group);
  Reopen();
  Tell(2 * kMinuteUs);
  for (const int i : {0, 150, 299}) {
    EXPECT_EQ(CommitOne({.id = "evt_" + std::to_string(i), .body = std::string(100, 'x')}).outcome,
              AppendOutcome::kDuplicate);
  }
}

INSTANTIATE_TEST_SUITE_P(ByAnHourADayAndFortyDays, ClockSteps, testing::ValuesIn(kSteps));

TEST_F(StoreTest, ADuplicateOfAnEventThatIsForgottenIsStoredAnew) {
  Open();
  for (int i = 0; i < 10; ++i)
    CommitOne({.id = "evt_" + std::to_string(i), .received_at_us = kNowUs + i * kHourUs}, kMinuteUs);
  ASSERT_EQ(store->TrimBefore(6, {}), 6u);
  // A longer window, as after a change of the configuration: the bytes may be there still, the event is not.
  EXPECT_EQ(CommitOne({.id = "evt_2", .received_at_us = kNowUs + 10 * kHourUs}, kWeekUs).outcome,
            AppendOutcome::kStored);
  EXPECT_EQ(CommitOne({.id = "evt_8", .received_at_us = kNowUs + 10 * kHourUs}, kWeekUs).outcome,
            AppendOutcome::kDuplicate);
}

}  // namespace
}  // namespace weir::storage
