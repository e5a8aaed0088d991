#include "bench/meter.h"

#include <gtest/gtest.h>

#include "bench/clock.h"

namespace weir::bench {
namespace {

constexpr std::int64_t kStart_ns = 1'000 * kSecond_ns;

class MeterTest : public testing::Test {
 protected:
  static constexpr std::int64_t At(double seconds) {
    return kStart_ns + static_cast<std::int64_t>(seconds * 1e9);
  }
  void Answer(double sent_s, double answered_s, int status = 202) {
    meter_.Answered({}, status, At(sent_s), At(sent_s), At(answered_s));
  }
  RequestForge forge_{ForgeOptions{}};
  Timeline timeline_{1};
  Meter meter_{forge_, timeline_, nullptr};
};

TEST_F(MeterTest, LeavesTheWarmUpOutOfTheFigures) {
  meter_.Begin({.start_ns = kStart_ns, .warmup_ns = 2 * kSecond_ns, .end_ns = kStart_ns + 10 * kSecond_ns});
  Answer(1.0, 1.5);
  Answer(1.9, 2.1);  // meant for the warm-up, answered after it: it counts for the rate, not for the latency
  Answer(3.0, 3.5);
  EXPECT_EQ(meter_.tally().Answered(), 3u);
  EXPECT_EQ(meter_.tally().measured_answers, 2u);
  EXPECT_EQ(meter_.tally().response.count(), 1u);
}

TEST_F(MeterTest, AnAnswerAfterTheEndCountsForTheLatencyAndNotForTheRate) {
  meter_.Begin({.start_ns = kStart_ns, .end_ns = kStart_ns + kSecond_ns});
  Answer(0.5, 4.5);
  meter_.Finish(At(5));
  EXPECT_EQ(meter_.tally().measured_answers, 0u);
  EXPECT_EQ(meter_.tally().response.max(), 4 * kSecond_ns);
  EXPECT_EQ(meter_.tally().window_end_ns, At(1));
}

TEST_F(MeterTest, ACountedRunEndsWithItsLastAnswer) {
  meter_.Begin({.start_ns = kStart_ns});
  Answer(0.5, 0.75);
  Answer(1.0, 2.0);
  meter_.Finish(At(9));
  EXPECT_EQ(meter_.tally().window_end_ns, At(2));
  EXPECT_EQ(meter_.tally().measured_answers, 2u);
}

TEST_F(MeterTest, ResponseTimeIsFromTheIntendedSendAndServiceTimeFromTheActualOne) {
  meter_.Begin({.start_ns = kStart_ns});
  meter_.Answered({}, 202, At(1), At(3), At(4));
  EXPECT_EQ(meter_.tally().response.max(), 3 * kSecond_ns);
  EXPECT_EQ(meter_.tally().service.max(), kSecond_ns);
}

TEST_F(MeterTest, WhatHasNoAnswerCountsWithTheTimeItWaited) {
  meter_.Begin({.start_ns = kStart_ns});
  meter_.StillOut(At(1), At(2), At(5));
  meter_.NeverSent(At(3), At(5));
  EXPECT_EQ(meter_.tally().response.max(), 4 * kSecond_ns);
  EXPECT_EQ(meter_.tally().response.count(), 2u);
  EXPECT_EQ(meter_.tally().unsent, 1u);
}

TEST_F(MeterTest, PostsEverySecondEvenAnEmptyOne) {
  meter_.Begin({.start_ns = kStart_ns});
  Answer(0.1, 0.2, 503);
  meter_.Roll(At(3.5));
  const auto points = timeline_.TakeClosed();
  ASSERT_EQ(points.size(), 3u);
  EXPECT_EQ(points[0].answers, 1u);
  EXPECT_EQ(points[0].trouble, 1u);
  EXPECT_EQ(points[2].answers, 0u);
}

TEST(Tally, CountsWhatItsClassShouldNotGet) {
  Tally tally;
  tally.answers[static_cast<std::size_t>(RequestClass::kFresh)][202] = 10;
  tally.answers[static_cast<std::size_t>(RequestClass::kFresh)][503] = 2;
  tally.answers[static_cast<std::size_t>(RequestClass::kInvalid)][401] = 5;
  tally.answers[static_cast<std::size_t>(RequestClass::kInvalid)][202] = 1;
  EXPECT_EQ(tally.Answered(), 18u);
  EXPECT_EQ(tally.Unexpected(), 3u);
  Tally other;
  other.answers[static_cast<std::size_t>(RequestClass::kFresh)][503] = 4;
  other.window_end_ns = 77;
  tally.Merge(other);
  EXPECT_EQ(tally.Unexpected(), 7u);
  EXPECT_EQ(tally.window_end_ns, 77);
}

}  // namespace
}  // namespace weir::bench
