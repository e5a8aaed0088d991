#include "bench/traffic.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <set>

namespace weir::bench {
namespace {

constexpr int kRequests = 100'000;

TEST(TrafficPlan, WithoutAMixEveryRequestIsFreshAndEveryIdNew) {
  TrafficPlan plan({}, 5, 3, 1);
  for (std::uint64_t i = 0; i < 1000; ++i) {
    const PlannedRequest planned = plan.Next();
    EXPECT_EQ(planned.request_class, RequestClass::kFresh);
    EXPECT_EQ(planned.id_number, 5 + 3 * i);
  }
}

TEST(TrafficPlan, KeepsTheFractionsOfTheMix) {
  TrafficPlan plan({.duplicates = 0.1, .invalid = 0.05, .stale = 0.02}, 0, 1, 3);
  std::array<int, kRequestClasses> counts{};
  for (int i = 0; i < kRequests; ++i) ++counts[static_cast<std::size_t>(plan.Next().request_class)];
  EXPECT_NEAR(counts[static_cast<std::size_t>(RequestClass::kDuplicate)], kRequests * 0.10,
              kRequests * 0.005);
  EXPECT_NEAR(counts[static_cast<std::size_t>(RequestClass::kInvalid)], kRequests * 0.05, kRequests * 0.005);
  EXPECT_NEAR(counts[static_cast<std::size_t>(RequestClass::kStale)], kRequests * 0.02, kRequests * 0.005);
}

TEST(TrafficPlan, OnlyDuplicatesRepeatAnIdAndOnlyThatOfAFreshRequest) {
  TrafficPlan plan({.duplicates = 0.3, .invalid = 0.1, .stale = 0.1}, 0, 1, 4);
  std::set<std::uint64_t> fresh;
  std::set<std::uint64_t> all;
  for (int i = 0; i < kRequests; ++i) {
    const PlannedRequest planned = plan.Next();
    if (planned.request_class == RequestClass::kDuplicate) {
      ASSERT_TRUE(fresh.contains(planned.id_number));
      continue;
    }
    ASSERT_TRUE(all.insert(planned.id_number).second);
    if (planned.request_class == RequestClass::kFresh) fresh.insert(planned.id_number);
  }
}

TEST(TrafficPlan, HasNothingToRepeatAtTheStart) {
  TrafficPlan plan({.duplicates = 1.0}, 0, 1, 5);
  EXPECT_EQ(plan.Next().request_class, RequestClass::kFresh);
  EXPECT_EQ(plan.Next().request_class, RequestClass::kDuplicate);
}

TEST(TrafficPlan, PlansOfTwoThreadsNeverShareAnId) {
  TrafficPlan left({}, 0, 2, 1);
  TrafficPlan right({}, 1, 2, 2);
  std::set<std::uint64_t> ids;
  for (int i = 0; i < 1000; ++i) {
    EXPECT_TRUE(ids.insert(left.Next().id_number).second);
    EXPECT_TRUE(ids.insert(right.Next().id_number).second);
  }
}

TEST(Expectation, AcceptedMeansTwoHundredsAndRefusedMeansTheSendersFault) {
  EXPECT_TRUE(IsExpected(RequestClass::kFresh, 202));
  EXPECT_TRUE(IsExpected(RequestClass::kDuplicate, 200));
  EXPECT_FALSE(IsExpected(RequestClass::kFresh, 503));
  EXPECT_FALSE(IsExpected(RequestClass::kFresh, 401));
  EXPECT_TRUE(IsExpected(RequestClass::kInvalid, 401));
  EXPECT_FALSE(IsExpected(RequestClass::kInvalid, 202));
  EXPECT_FALSE(IsExpected(RequestClass::kStale, 429));
  EXPECT_FALSE(IsExpected(RequestClass::kStale, 500));
}

}  // namespace
}  // namespace weir::bench
