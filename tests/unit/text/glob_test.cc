#include "engine/text/glob.h"

#include <gtest/gtest.h>

#include <string>

namespace weir::text {
namespace {

TEST(Glob, WithoutStarMatchesOnlyItself) {
  EXPECT_TRUE(GlobMatches("invoice.paid", "invoice.paid"));
  EXPECT_FALSE(GlobMatches("invoice.paid", "invoice.paid.late"));
  EXPECT_FALSE(GlobMatches("invoice.paid", "invoice"));
  EXPECT_FALSE(GlobMatches("Invoice.paid", "invoice.paid"));
}

TEST(Glob, StarMatchesAnyRunDotsIncluded) {
  EXPECT_TRUE(GlobMatches("invoice.*", "invoice.payment.failed"));
  EXPECT_TRUE(GlobMatches("invoice.*", "invoice."));
  EXPECT_FALSE(GlobMatches("invoice.*", "invoice"));
  EXPECT_TRUE(GlobMatches("*", ""));
  EXPECT_TRUE(GlobMatches("*.failed", "invoice.payment.failed"));
  EXPECT_TRUE(GlobMatches("a*b*c", "a-b-b-c"));
  EXPECT_FALSE(GlobMatches("a*b*c", "a-c-b"));
  EXPECT_TRUE(GlobMatches("**", "x"));
}

TEST(Glob, EmptyPatternMatchesOnlyTheEmptyType) {
  EXPECT_TRUE(GlobMatches("", ""));
  EXPECT_FALSE(GlobMatches("", "a"));
}

TEST(Glob, NoOtherCharacterIsSpecial) {
  EXPECT_FALSE(GlobMatches("a?c", "abc"));
  EXPECT_FALSE(GlobMatches("[ab]", "a"));
  EXPECT_FALSE(GlobMatches("a.c", "abc"));
  EXPECT_TRUE(GlobMatches("a\\b", "a\\b"));
}

// With naive backtracking this pattern takes longer than the universe has existed.
TEST(Glob, HostileTypeCostsNoMoreThanPatternTimesText) {
  std::string pattern;
  for (int i = 0; i < 30; ++i) pattern += "*a";
  EXPECT_FALSE(GlobMatches(pattern + "b", std::string(256, 'a')));
}

}  // namespace
}  // namespace weir::text
