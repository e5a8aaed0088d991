#include "engine/connection_watch.h"

#include <gtest/gtest.h>

namespace weir {
namespace {

TEST(ConnectionWatch, SaysNothingWhileNothingIsRefused) {
  ConnectionWatch watch;
  EXPECT_FALSE(watch.Look({}, 0));
  EXPECT_FALSE(watch.Look({}, 100'000));
}

TEST(ConnectionWatch, SaysTheFirstAtOnceAndTheRestTogether) {
  ConnectionWatch watch;
  EXPECT_EQ(watch.Look({.limit = 1}, 0), (ConnectionWatch::Totals{.limit = 1}));
  EXPECT_FALSE(watch.Look({.limit = 500, .displaced = 7}, 9'999));
  EXPECT_EQ(watch.Look({.limit = 900, .descriptors = 2, .displaced = 9}, 10'000),
            (ConnectionWatch::Totals{.limit = 899, .descriptors = 2, .displaced = 9}));
  EXPECT_FALSE(watch.Look({.limit = 900, .descriptors = 2, .displaced = 9}, 50'000));
}

}  // namespace
}  // namespace weir
