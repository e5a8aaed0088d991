// What is damaged at rest is refused, mended, or said.
#include "tests/simulate/at_rest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weir::tests {
namespace {

std::string Lines(const RestReport& report) {
  std::string lines;
  for (const std::string& violation : report.violations) lines += violation + '\n';
  return lines;
}

TEST(AtRest, NothingOfAClosedStoreIsGoneInSilence) {
  const RestReport report = DamageAtRest({.seed = 1, .flips = 2});
  EXPECT_EQ(Lines(report), "");
  EXPECT_GT(report.refused, 0u);
  EXPECT_GT(report.whole, 0u);
  EXPECT_THAT(report.kinds, testing::IsSupersetOf({".log", ".sst", "MANIFEST", "CURRENT", "IDENTITY",
                                                   "OPTIONS", "high-water"}));
}

TEST(AtRest, NothingOfACrashedStoreIsGoneInSilence) {
  const RestReport report = DamageAtRest({.seed = 2, .flips = 2, .closed = false});
  EXPECT_EQ(Lines(report), "");
  EXPECT_GT(report.refused, 0u);
}

// The controls: losses that no store can tell are found here.
TEST(AtRestControl, AnOlderStoreIsFound) {
  EXPECT_NE(Lines(DamageAtRest({.seed = 1, .everything_older = true})), "");
}

TEST(AtRestControl, TheEndOfACrashedStoresLogIsFound) {
  EXPECT_NE(Lines(DamageAtRest({.seed = 2, .flips = 0, .closed = false, .newest_log = true})), "");
}

}  // namespace
}  // namespace weir::tests
