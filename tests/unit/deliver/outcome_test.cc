#include "engine/deliver/outcome.h"

#include <gtest/gtest.h>

namespace weir::deliver {
namespace {

constexpr config::RetryPolicy kPolicy{
    .attempts = 3, .first_ms = 1'000, .factor = 2.0, .max_ms = 60'000, .jitter = 0.0};

sink::Outcome Ended(sink::Result result, std::string summary) {
  sink::Outcome outcome;
  outcome.result = result;
  outcome.summary = std::move(summary);
  return outcome;
}

TEST(Outcome, DeliveredSettles) {
  EXPECT_EQ(Decide(Ended(sink::Result::kDelivered, "204"), 1, kPolicy, 0.5).kind, Verdict::Kind::kSettle);
}

TEST(Outcome, FailureIsTriedAgainAfterThePolicysDelay) {
  const auto verdict = Decide(Ended(sink::Result::kFailed, "503"), 2, kPolicy, 0.5);
  EXPECT_EQ(verdict.kind, Verdict::Kind::kRetry);
  EXPECT_EQ(verdict.retry_in_ms, 2'000);
}

TEST(Outcome, FailureWithRetryAfterWaitsThatLong) {
  auto outcome = Ended(sink::Result::kFailed, "429");
  outcome.retry_after_ms = 30'000;
  EXPECT_EQ(Decide(outcome, 1, kPolicy, 0.5).retry_in_ms, 30'000);
}

TEST(Outcome, LastFailureIsDead) {
  const auto verdict = Decide(Ended(sink::Result::kFailed, "503"), 3, kPolicy, 0.5);
  EXPECT_EQ(verdict.kind, Verdict::Kind::kDead);
  EXPECT_EQ(verdict.reason, "attempts_exhausted");
}

TEST(Outcome, RefusalIsDeadAtOnceForItsOwnReason) {
  const auto verdict = Decide(Ended(sink::Result::kRejected, "410"), 1, kPolicy, 0.5);
  EXPECT_EQ(verdict.kind, Verdict::Kind::kDead);
  EXPECT_EQ(verdict.reason, "410");
}

TEST(Outcome, LastAnswerNamesTheEndAndWhatTheSinkSaid) {
  auto outcome = Ended(sink::Result::kFailed, "500");
  EXPECT_EQ(LastAnswer(outcome), "500");
  outcome.answer = "out of paper";
  EXPECT_EQ(LastAnswer(outcome), "500: out of paper");
}

}  // namespace
}  // namespace weir::deliver
