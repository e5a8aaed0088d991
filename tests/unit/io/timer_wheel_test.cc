#include "engine/io/timer_wheel.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <vector>

namespace weir::io {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

std::vector<std::uint32_t> DueAt(TimerWheel& wheel, std::int64_t now_ms) {
  std::vector<std::uint32_t> due;
  wheel.Advance(now_ms, due);
  return due;
}

TEST(TimerWheel, IsDueAtItsDeadlineAndNotAMillisecondEarlier) {
  for (const std::int64_t delay : {1, 63, 64, 65, 4095, 4096, 4097, 75'000, 3'600'000, 86'400'000}) {
    const std::int64_t start = 1'000'003;
    TimerWheel wheel(start);
    wheel.Arm(3, start + delay);
    EXPECT_THAT(DueAt(wheel, start + delay - 1), IsEmpty()) << delay;
    EXPECT_THAT(DueAt(wheel, start + delay), ElementsAre(3)) << delay;
    EXPECT_THAT(DueAt(wheel, start + 2 * delay), IsEmpty()) << delay;
  }
}

TEST(TimerWheel, APassedDeadlineIsDueOneTickOn) {
  TimerWheel wheel(500);
  wheel.Arm(0, 20);
  EXPECT_THAT(DueAt(wheel, 501), ElementsAre(0));
}

TEST(TimerWheel, ALaterDeadlineReplacesTheEarlierOne) {
  TimerWheel wheel(0);
  wheel.Arm(1, 100);
  wheel.Arm(1, 250);
  EXPECT_THAT(DueAt(wheel, 249), IsEmpty());
  EXPECT_THAT(DueAt(wheel, 250), ElementsAre(1));
}

TEST(TimerWheel, AnEarlierDeadlineReplacesTheLaterOne) {
  TimerWheel wheel(0);
  wheel.Arm(1, 75'000);
  wheel.Arm(1, 10);
  EXPECT_THAT(DueAt(wheel, 10), ElementsAre(1));
  EXPECT_THAT(DueAt(wheel, 80'000), IsEmpty());
}

TEST(TimerWheel, ADisarmedDeadlineNeverComes) {
  TimerWheel wheel(0);
  wheel.Arm(1, 100);
  wheel.Arm(2, 100);
  wheel.Arm(3, 100);
  wheel.Disarm(2);
  EXPECT_THAT(DueAt(wheel, 1'000), UnorderedElementsAre(1, 3));
  EXPECT_EQ(wheel.UntilNext(1'000), -1);
}

TEST(TimerWheel, UntilNextNeverPromisesMoreThanTheFirstDeadline) {
  TimerWheel wheel(0);
  wheel.Arm(1, 70'000);
  std::int64_t now = 0;
  int looks = 0;
  while (now < 70'000) {
    const std::int64_t wait = wheel.UntilNext(now);
    ASSERT_GT(wait, 0);
    ASSERT_LE(now + wait, 70'000);
    now += wait;
    const auto due = DueAt(wheel, now);
    ASSERT_EQ(due.empty(), now < 70'000);
    ++looks;
  }
  EXPECT_LE(looks, 5);
}

TEST(TimerWheel, DeadlinesPastItsReachStillComeOnTime) {
  const std::int64_t forty_days = std::int64_t{40} * 86'400'000;
  TimerWheel wheel(12'345);
  wheel.Arm(1, 12'345 + forty_days);
  wheel.Arm(2, 12'345 + 5);
  EXPECT_THAT(DueAt(wheel, 12'345 + 5), ElementsAre(2));
  EXPECT_THAT(DueAt(wheel, 12'345 + forty_days - 1), IsEmpty());
  EXPECT_THAT(DueAt(wheel, 12'345 + forty_days), ElementsAre(1));
}

TEST(TimerWheel, AgreesWithASortedListOverRandomUse) {
  std::mt19937_64 random(42);
  const std::int64_t start = (std::int64_t{1} << 30) - 40'000;  // crosses the coarsest wheel's round
  TimerWheel wheel(start);
  std::map<std::uint32_t, std::int64_t> model;
  std::int64_t now = start;
  for (int step = 0; step < 40'000; ++step) {
    const auto id = static_cast<std::uint32_t>(random() % 300);
    const auto action = random() % 4;
    if (action < 2) {
      const auto scale = std::uint64_t{1} << (random() % 22);
      model[id] = now + 1 + static_cast<std::int64_t>(random() % scale);
      wheel.Arm(id, model[id]);
    } else if (action == 2) {
      model.erase(id);
      wheel.Disarm(id);
    } else {
      now += static_cast<std::int64_t>(random() % 200);
      std::vector<std::uint32_t> expected;
      for (const auto& [armed, deadline_ms] : model) {
        if (deadline_ms <= now) expected.push_back(armed);
      }
      std::erase_if(model, [now](const auto& entry) { return entry.second <= now; });
      auto due = DueAt(wheel, now);
      std::ranges::sort(due);
      ASSERT_EQ(due, expected) << "at step " << step;
    }
  }
}

}  // namespace
}  // namespace weir::io
