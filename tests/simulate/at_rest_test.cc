// What is damaged at rest is refused, mended, or said.
#include "tests/simulate/at_rest.h"

#include <gtest/gtest.h>

namespace weir::tests {
namespace {

class AtRest : public testing::TestWithParam<std::uint64_t> {};

TEST_P(AtRest, NothingIsGoneInSilence) {
  const RestReport report = DamageAtRest({.seed = GetParam()});
  std::string lines;
  for (const std::string& violation : report.violations) lines += violation + '\n';
  EXPECT_EQ(lines, "");
  EXPECT_GT(report.refused, 0u);
  EXPECT_GT(report.whole + report.told, 0u);
}

INSTANTIATE_TEST_SUITE_P(Seeds, AtRest, testing::Values(1, 2, 3));

}  // namespace
}  // namespace weir::tests
