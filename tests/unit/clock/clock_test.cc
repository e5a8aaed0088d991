#include "engine/clock/clock.h"

#include <gtest/gtest.h>

namespace weir::clock {
namespace {

constexpr std::int64_t kSecondUs = 1'000'000;

Now At(std::int64_t monotonic_ms, std::int64_t unix_us) {
  return {.monotonic_ms = monotonic_ms, .unix_us = unix_us};
}

TEST(PassedTime, MovesByTheMonotonicClockAlone) {
  const PassedTime passed(At(1'000, 500 * kSecondUs));
  EXPECT_EQ(passed.UnixUs(At(3'000, 9 * kSecondUs)), 502 * kSecondUs);
  EXPECT_EQ(passed.AheadUs(At(3'000, 9 * kSecondUs)), -493 * kSecondUs);
}

TEST(PassedTime, StepIsFollowedOnce) {
  PassedTime passed(At(1'000, 500 * kSecondUs));
  const Now stepped = At(2'000, 401 * kSecondUs);
  EXPECT_EQ(passed.FollowStep(stepped, kSecondUs), -100 * kSecondUs);
  EXPECT_FALSE(passed.FollowStep(stepped, kSecondUs));
  EXPECT_EQ(passed.UnixUs(At(3'000, 0)), 402 * kSecondUs);
}

TEST(PassedTime, WhatIsBelowTheBoundAddsUpUntilItIsNot) {
  PassedTime passed(At(0, 0));
  EXPECT_FALSE(passed.FollowStep(At(1'000, kSecondUs + 600'000), kSecondUs));
  EXPECT_EQ(passed.FollowStep(At(2'000, 2 * kSecondUs + 1'200'000), kSecondUs), 1'200'000);
}

TEST(Clocks, ReadTogetherAreBothSet) {
  const Now now = Read();
  EXPECT_GT(now.monotonic_ms, 0);
  EXPECT_GT(now.unix_us, 1'700'000'000 * kSecondUs);
}

}  // namespace
}  // namespace weir::clock
