#include "storage/holes.h"

#include <gtest/gtest.h>

namespace weir::storage {
namespace {

TEST(HolesTest, JoinAndAreSteppedOver) {
  Holes holes;
  holes.Add({.first = 10, .last = 20});
  holes.Add({.first = 30, .last = 40});
  EXPECT_EQ(holes.NextOutside(9), 9u);
  EXPECT_EQ(holes.NextOutside(10), 21u);
  EXPECT_EQ(holes.PreviousOutside(20), 9u);
  EXPECT_EQ(holes.PreviousOutside(21), 21u);
  EXPECT_EQ(holes.CountWithin(15, 34), 11u);
  holes.Add({.first = 21, .last = 29});
  EXPECT_EQ(holes.ranges(), (std::vector<Hole>{{.first = 10, .last = 40}}));
  EXPECT_EQ(holes.last(), 40u);
}

}  // namespace
}  // namespace weir::storage
