#include "bench/latency_histogram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

namespace weir::bench {
namespace {

// The definition the histogram approximates: the value at rank ceil(quantile * count) of the sorted sample.
std::int64_t ExactValueAt(std::vector<std::int64_t> sample, double quantile) {
  std::ranges::sort(sample);
  const auto rank = static_cast<std::size_t>(std::ceil(quantile * static_cast<double>(sample.size())));
  return sample[std::max<std::size_t>(rank, 1) - 1];
}

void ExpectWithinOnePerMille(std::int64_t measured, std::int64_t exact) {
  EXPECT_GE(measured, exact);
  EXPECT_LE(static_cast<double>(measured - exact), 0.001 * static_cast<double>(exact))
      << measured << " for " << exact;
}

TEST(LatencyHistogram, IsZeroEverywhereWhenEmpty) {
  const LatencyHistogram histogram;
  EXPECT_EQ(histogram.count(), 0u);
  EXPECT_EQ(histogram.min(), 0);
  EXPECT_EQ(histogram.max(), 0);
  EXPECT_EQ(histogram.ValueAt(0.99), 0);
  EXPECT_EQ(histogram.Mean(), 0.0);
}

TEST(LatencyHistogram, KeepsSmallValuesExactly) {
  LatencyHistogram histogram;
  for (std::int64_t value = 0; value < 2048; ++value) histogram.Record(value);
  for (std::int64_t value = 0; value < 2048; ++value) {
    EXPECT_EQ(histogram.ValueAt((static_cast<double>(value) + 1) / 2048), value);
  }
}

TEST(LatencyHistogram, KeepsThreeDigitsOfEveryMagnitude) {
  for (std::int64_t exact = 1; exact < LatencyHistogram::kValueMax_ns / 3; exact = exact * 3 + 1) {
    LatencyHistogram histogram;
    histogram.Record(exact);
    histogram.Record(LatencyHistogram::kValueMax_ns);  // so that the answer is not simply max()
    ExpectWithinOnePerMille(histogram.ValueAt(0.5), exact);
  }
}

TEST(LatencyHistogram, KeepsThreeDigitsAtBothEdgesOfEveryOctave) {
  for (int bit = 1; bit < 42; ++bit) {
    for (const std::int64_t exact :
         {(std::int64_t{1} << bit) - 1, std::int64_t{1} << bit, (std::int64_t{1} << bit) + 1}) {
      LatencyHistogram histogram;
      histogram.Record(exact);
      histogram.Record(LatencyHistogram::kValueMax_ns);
      ExpectWithinOnePerMille(histogram.ValueAt(0.5), exact);
    }
  }
}

TEST(LatencyHistogram, AgreesWithTheSortedSampleOfAHeavyTail) {
  std::mt19937_64 random(7);  // NOLINT(bugprone-random-generator-seed): the same sample every run
  std::lognormal_distribution<double> latency(13.0, 2.0);
  LatencyHistogram histogram;
  std::vector<std::int64_t> sample;
  for (int i = 0; i < 50'000; ++i) {
    sample.push_back(static_cast<std::int64_t>(latency(random)));
    histogram.Record(sample.back());
  }
  for (const double quantile : {0.0, 0.5, 0.9, 0.99, 0.999, 1.0}) {
    ExpectWithinOnePerMille(histogram.ValueAt(quantile), ExactValueAt(sample, quantile));
  }
}

TEST(LatencyHistogram, CountsOneSlowAnswerInAHundredAtTheVeryTopOnly) {
  LatencyHistogram histogram;
  for (int i = 0; i < 99; ++i) histogram.Record(1'000);
  histogram.Record(200'000'000);
  EXPECT_EQ(histogram.ValueAt(0.99), 1'000);
  EXPECT_EQ(histogram.ValueAt(0.999), 200'000'000);
}

TEST(LatencyHistogram, NeverReportsMoreThanTheExactMaximum) {
  LatencyHistogram histogram;
  histogram.Record(1'234'567'891);
  EXPECT_EQ(histogram.max(), 1'234'567'891);
  EXPECT_EQ(histogram.ValueAt(1.0), 1'234'567'891);
  EXPECT_EQ(histogram.ValueAt(0.5), 1'234'567'891);
}

TEST(LatencyHistogram, ClampsWhatItCannotHold) {
  LatencyHistogram histogram;
  histogram.Record(-5);
  histogram.Record(INT64_MAX);
  EXPECT_EQ(histogram.min(), 0);
  EXPECT_EQ(histogram.max(), LatencyHistogram::kValueMax_ns);
  EXPECT_EQ(histogram.count(), 2u);
}

TEST(LatencyHistogram, MergedIsTheSameAsRecordedTogether) {
  LatencyHistogram left;
  LatencyHistogram right;
  LatencyHistogram together;
  for (std::int64_t value = 1; value < 1'000'000'000; value *= 3) {
    left.Record(value);
    right.Record(value * 2);
    together.Record(value);
    together.Record(value * 2);
  }
  left.Merge(right);
  EXPECT_EQ(left.count(), together.count());
  EXPECT_EQ(left.min(), together.min());
  EXPECT_EQ(left.max(), together.max());
  EXPECT_DOUBLE_EQ(left.Mean(), together.Mean());
  for (const double quantile : {0.1, 0.5, 0.9, 0.99})
    EXPECT_EQ(left.ValueAt(quantile), together.ValueAt(quantile));
}

TEST(LatencyHistogram, ForgetsEverythingOnClear) {
  LatencyHistogram histogram;
  histogram.Record(5'000'000);
  histogram.Clear();
  EXPECT_EQ(histogram.count(), 0u);
  EXPECT_EQ(histogram.max(), 0);
  histogram.Record(7);
  EXPECT_EQ(histogram.ValueAt(1.0), 7);
  EXPECT_EQ(histogram.min(), 7);
}

}  // namespace
}  // namespace weir::bench
