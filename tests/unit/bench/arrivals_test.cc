#include "bench/arrivals.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <vector>

namespace weir::bench {
namespace {

constexpr std::int64_t kStart_ns = 1'700'000'000'000'000'000;

std::vector<std::int64_t> Gaps(ArrivalSchedule& schedule, int count) {
  std::vector<std::int64_t> gaps;
  for (int i = 0; i < count; ++i) {
    const std::int64_t before = schedule.next_ns();
    schedule.Advance();
    gaps.push_back(schedule.next_ns() - before);
  }
  return gaps;
}

TEST(ArrivalSchedule, ConstantArrivalsStartAtOnceAndNeverDrift) {
  ArrivalSchedule schedule(ArrivalPattern::kConstant, 3.0, kStart_ns, 0);
  EXPECT_EQ(schedule.next_ns(), kStart_ns);
  for (int i = 0; i < 3'000'000; ++i) schedule.Advance();
  EXPECT_EQ(schedule.next_ns(), kStart_ns + 1'000'000 * std::int64_t{1'000'000'000});
}

TEST(ArrivalSchedule, PoissonGapsHaveTheMeanAndTheSpreadOfIndependentSenders) {
  ArrivalSchedule schedule(ArrivalPattern::kPoisson, 10'000.0, kStart_ns, 42);
  const std::vector<std::int64_t> gaps = Gaps(schedule, 200'000);
  double mean = 0;
  for (const std::int64_t gap : gaps) mean += static_cast<double>(gap) / static_cast<double>(gaps.size());
  double variance = 0;
  for (const std::int64_t gap : gaps) {
    variance += (static_cast<double>(gap) - mean) * (static_cast<double>(gap) - mean) /
                static_cast<double>(gaps.size());
  }
  EXPECT_NEAR(mean, 100'000, 1'000);
  EXPECT_NEAR(std::sqrt(variance), mean, 2'000);  // of an exponential distribution they are equal
}

TEST(ArrivalSchedule, NeverGoesBack) {
  ArrivalSchedule schedule(ArrivalPattern::kPoisson, 1e6, kStart_ns, 7);
  for (const std::int64_t gap : Gaps(schedule, 100'000)) ASSERT_GE(gap, 0);
}

TEST(ArrivalSchedule, IsTheSameForTheSameSeed) {
  ArrivalSchedule left(ArrivalPattern::kPoisson, 500, kStart_ns, 9);
  ArrivalSchedule right(ArrivalPattern::kPoisson, 500, kStart_ns, 9);
  EXPECT_EQ(Gaps(left, 1000), Gaps(right, 1000));
}

}  // namespace
}  // namespace weir::bench
