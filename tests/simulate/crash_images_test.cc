// What a store holds after power cuts at any moment, whatever the disk kept of what was not synced.
#include "tests/simulate/crash_images.h"

#include <gtest/gtest.h>

namespace weir::tests {
namespace {

std::string Lines(const CrashReport& report) {
  std::string text;
  for (const std::string& violation : report.violations) text += violation + '\n';
  return text;
}

class PowerCut : public testing::TestWithParam<std::uint64_t> {};

TEST_P(PowerCut, CostsNothingThatWasPromised) {
  const CrashReport report = CutPower({.seed = GetParam()});
  EXPECT_EQ(Lines(report), "");
  EXPECT_GT(report.images, 50u);
}

INSTANTIATE_TEST_SUITE_P(Seeds, PowerCut, testing::Values(1, 2, 3, 4));

// The controls: what these tests are for is found by them.
TEST(PowerCutControl, AnAckBeforeTheSyncIsFound) {
  const CrashReport report = CutPower({.seed = 1, .steps = 20, .moments = 3, .lie_about = ".log"});
  EXPECT_NE(Lines(report), "");
}

TEST(PowerCutControl, TablesThatAreNeverSyncedAreFound) {
  EXPECT_NE(Lines(CutPower({.seed = 1, .lie_about = ".sst"})), "");
}

TEST(PowerCutControl, AListOfTablesThatIsNeverSyncedIsFound) {
  EXPECT_NE(Lines(CutPower({.seed = 1, .moments = 3, .lie_about = "MANIFEST"})), "");
}

}  // namespace
}  // namespace weir::tests
