#include "engine/deliver/retry_policy.h"

#include <gtest/gtest.h>

namespace weir::deliver {
namespace {

constexpr config::RetryPolicy kExact{
    .attempts = 5, .first_ms = 1'000, .factor = 3.0, .max_ms = 20'000, .jitter = 0.0};

config::RetryPolicy WithJitter(double jitter) {
  config::RetryPolicy policy = kExact;
  policy.jitter = jitter;
  return policy;
}

TEST(RetryPolicy, GrowsExponentiallyUpToTheMaximum) {
  EXPECT_EQ(NextDelayMs(kExact, 1, {}, 0.5), 1'000);
  EXPECT_EQ(NextDelayMs(kExact, 2, {}, 0.5), 3'000);
  EXPECT_EQ(NextDelayMs(kExact, 3, {}, 0.5), 9'000);
  EXPECT_EQ(NextDelayMs(kExact, 4, {}, 0.5), 20'000);
}

TEST(RetryPolicy, GivesUpAfterItsAttempts) {
  EXPECT_EQ(NextDelayMs(kExact, 5, {}, 0.5), std::nullopt);
  EXPECT_EQ(NextDelayMs(kExact, 6, 10, 0.5), std::nullopt);
}

TEST(RetryPolicy, OneAttemptMeansNoRetry) {
  config::RetryPolicy policy = kExact;
  policy.attempts = 1;
  EXPECT_EQ(NextDelayMs(policy, 1, {}, 0.5), std::nullopt);
}

TEST(RetryPolicy, JitterSpreadsBothWays) {
  const auto policy = WithJitter(0.2);
  EXPECT_EQ(NextDelayMs(policy, 1, {}, 0.0), 800);
  EXPECT_EQ(NextDelayMs(policy, 1, {}, 0.5), 1'000);
  EXPECT_NEAR(static_cast<double>(*NextDelayMs(policy, 1, {}, 0.999)), 1'200, 1);
}

TEST(RetryPolicy, JitterNeverPassesTheMaximum) {
  EXPECT_EQ(NextDelayMs(WithJitter(0.5), 4, {}, 0.99), 20'000);
}

TEST(RetryPolicy, RetryAfterLengthensTheDelay) {
  EXPECT_EQ(NextDelayMs(kExact, 1, 7'000, 0.5), 7'000);
}

TEST(RetryPolicy, RetryAfterNeverShortensTheDelay) {
  for (const std::int64_t asked_ms : {-5'000, 0, 1, 500, 7'200}) {
    EXPECT_EQ(NextDelayMs(kExact, 3, asked_ms, 0.5), 9'000) << asked_ms;
    EXPECT_EQ(NextDelayMs(WithJitter(0.2), 3, asked_ms, 0.0), 7'200) << asked_ms;
  }
}

TEST(RetryPolicy, RetryAfterIsClampedToTheMaximum) {
  EXPECT_EQ(NextDelayMs(kExact, 1, 86'400'000, 0.5), 20'000);
}

TEST(RetryPolicy, RetryAfterIsNeverUndercut) {
  EXPECT_EQ(NextDelayMs(WithJitter(0.5), 1, 7'000, 0.0), 7'000);
  EXPECT_GT(NextDelayMs(WithJitter(0.5), 1, 7'000, 0.9), 7'000);
}

TEST(RetryPolicy, OverflowingGrowthIsTheMaximum) {
  config::RetryPolicy policy = kExact;
  policy.attempts = 4'000'000'000;
  policy.factor = 100.0;
  EXPECT_EQ(NextDelayMs(policy, 3'999'999'999, {}, 0.5), 20'000);
}

}  // namespace
}  // namespace weir::deliver
