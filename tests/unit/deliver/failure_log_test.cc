#include "engine/deliver/failure_log.h"

#include <gtest/gtest.h>

namespace weir::deliver {
namespace {

using Kind = FailureLog::Line::Kind;
constexpr std::int64_t kMinuteMs = FailureLog::kLineIntervalMs;

FailureLog::Failure Refused(std::uint64_t sequence) {
  return {.sequence = sequence, .attempt = 1, .reason = "connect", .outcome = "connection refused"};
}

TEST(FailureLog, TellsTheFirstFailureAtOnceAndWhy) {
  FailureLog log;
  const auto line = log.OnFailure(Refused(7), 1'000);
  ASSERT_TRUE(line);
  EXPECT_EQ(line->kind, Kind::kFails);
  EXPECT_EQ(line->failures, 1u);
  EXPECT_EQ(line->last.sequence, 7u);
  EXPECT_EQ(line->last.outcome, "connection refused");
}

TEST(FailureLog, TellsFurtherOnesOnceAMinuteWithTheirNumber) {
  FailureLog log;
  ASSERT_TRUE(log.OnFailure(Refused(1), 0));
  for (std::uint64_t i = 2; i <= 1000; ++i) {
    ASSERT_FALSE(log.OnFailure(Refused(i), static_cast<std::int64_t>(i)));
  }
  EXPECT_FALSE(log.OnTime(kMinuteMs - 1));
  const auto line = log.OnTime(kMinuteMs);
  ASSERT_TRUE(line);
  EXPECT_EQ(line->failures, 999u);
  EXPECT_EQ(line->for_ms, kMinuteMs);
  EXPECT_EQ(line->last.sequence, 1000u);
  EXPECT_FALSE(log.OnTime(2 * kMinuteMs)) << "nothing failed since";
}

TEST(FailureLog, TellsOnceThatTheSinkWorksAgain) {
  FailureLog log;
  EXPECT_FALSE(log.OnSuccess(0));
  log.OnFailure(Refused(1), 1'000);
  log.OnFailure(Refused(2), 2'000);
  const auto line = log.OnSuccess(5'000);
  ASSERT_TRUE(line);
  EXPECT_EQ(line->kind, Kind::kWorksAgain);
  EXPECT_EQ(line->failures, 2u);
  EXPECT_EQ(line->for_ms, 4'000);
  EXPECT_FALSE(log.OnSuccess(6'000));
}

TEST(FailureLog, TellsAtOnceThatASinkFailsAnewWithinAMinute) {
  FailureLog log;
  ASSERT_TRUE(log.OnFailure(Refused(1), 0));
  ASSERT_TRUE(log.OnSuccess(1'000));
  const auto line = log.OnFailure(Refused(2), 2'000);
  ASSERT_TRUE(line);
  EXPECT_EQ(line->failures, 1u);
  EXPECT_EQ(line->last.sequence, 2u);
}

TEST(FailureLog, BoundsTheLinesOfASinkThatFailsAndWorksInTurns) {
  FailureLog log;
  std::uint64_t told = 0;
  int lines = 0;
  for (std::int64_t now_ms = 0; now_ms < 10 * kMinuteMs; now_ms += 20) {
    if (const auto line = log.OnFailure(Refused(1), now_ms)) {
      ++lines;
      told += line->failures;
    }
    if (log.OnSuccess(now_ms + 10)) ++lines;
  }
  EXPECT_LE(lines, 10 * 2 * (FailureLog::kTurnsToldMax + 1));
  if (const auto rest = log.OnTime(11 * kMinuteMs)) told += rest->failures;
  EXPECT_EQ(told, static_cast<std::uint64_t>(10 * kMinuteMs / 20)) << "every failure is counted in one line";
}

TEST(FailureLog, TellsTheRecoveryOfWhatSomebodyElseAnnounced) {
  FailureLog log;
  for (int turn = 0; turn < FailureLog::kTurnsToldMax; ++turn) {
    log.OnFailure(Refused(1), 0);
    log.OnSuccess(1);
  }
  EXPECT_FALSE(log.OnFailure(Refused(2), 2)) << "told often enough";
  log.Announced();
  EXPECT_TRUE(log.OnSuccess(3));
}

}  // namespace
}  // namespace weir::deliver
