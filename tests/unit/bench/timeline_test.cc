#include "bench/timeline.h"

#include <gtest/gtest.h>

namespace weir::bench {
namespace {

LatencyHistogram Of(std::initializer_list<std::int64_t> values) {
  LatencyHistogram histogram;
  for (const std::int64_t value : values) histogram.Record(value);
  return histogram;
}

TEST(Timeline, ClosesASecondWhenEveryThreadHasPostedIt) {
  Timeline timeline(2);
  timeline.Post(0, 0, Of({10}));
  EXPECT_TRUE(timeline.TakeClosed().empty());
  timeline.Post(0, 1, Of({30, 40}));
  const auto points = timeline.TakeClosed();
  ASSERT_EQ(points.size(), 1u);
  EXPECT_EQ(points[0].answers, 3u);
  EXPECT_EQ(points[0].trouble, 1u);
  EXPECT_EQ(points[0].max_ns, 40);
}

TEST(Timeline, KeepsTheOrderOfTheSeconds) {
  Timeline timeline(2);
  timeline.Post(0, 0, Of({1}));
  timeline.Post(1, 0, Of({2}));
  timeline.Post(1, 0, Of({2}));
  EXPECT_TRUE(timeline.TakeClosed().empty());
  timeline.Post(0, 0, Of({1}));
  const auto points = timeline.TakeClosed();
  ASSERT_EQ(points.size(), 2u);
  EXPECT_EQ(points[0].second, 0u);
  EXPECT_EQ(points[1].second, 1u);
}

TEST(Timeline, GivesUpTheRestAtTheEnd) {
  Timeline timeline(2);
  timeline.Post(7, 0, Of({5}));
  const auto points = timeline.TakeAll();
  ASSERT_EQ(points.size(), 1u);
  EXPECT_EQ(points[0].second, 7u);
  EXPECT_TRUE(timeline.TakeAll().empty());
}

}  // namespace
}  // namespace weir::bench
