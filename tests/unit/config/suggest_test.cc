#include "engine/config/suggest.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace weir::config {
namespace {

const std::vector<std::string> kKnown = {"listen", "data", "threads", "ack", "drain_timeout", "limits"};

TEST(Suggestion, IsTheNearestKnownWord) {
  EXPECT_EQ(Nearest("lisen", kKnown), "listen");
  EXPECT_EQ(Nearest("thread", kKnown), "threads");
  EXPECT_EQ(Nearest("lsiten", kKnown), "listen") << "a swap is one mistake";
  EXPECT_EQ(Nearest("Drain-Timeout", kKnown), "drain_timeout");
}

TEST(Suggestion, IsNoneWhenNothingIsNear) {
  EXPECT_EQ(Nearest("certificate", kKnown), "");
  EXPECT_EQ(Nearest("", kKnown), "");
  EXPECT_EQ(Nearest("x", {}), "");
  EXPECT_EQ(Nearest(std::string(100'000, 'x'), kKnown), "");
}

}  // namespace
}  // namespace weir::config
