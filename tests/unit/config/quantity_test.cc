#include "engine/config/quantity.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>

namespace weir::config {
namespace {

TEST(Size, IsAWholeNumberAndAUnit) {
  EXPECT_EQ(ParseSize("0B"), 0u);
  EXPECT_EQ(ParseSize("1KiB"), 1024u);
  EXPECT_EQ(ParseSize("1kB"), 1000u);
  EXPECT_EQ(ParseSize("16MiB"), 16u << 20);
  EXPECT_EQ(ParseSize("3TB"), 3'000'000'000'000u);
  EXPECT_EQ(ParseSize("18446744073709551615B"), std::numeric_limits<std::uint64_t>::max());
}

TEST(Size, IsRefusedWithoutAUnitOrWithAnother) {
  for (const char* text : {"", "1", "MiB", "1mib", "1 MiB", "+1MiB", "-1MiB", "1.5MiB", "0x10B", "1MiBs"}) {
    EXPECT_FALSE(ParseSize(text)) << text;
  }
}

TEST(Size, IsRefusedWhenItDoesNotFit) {
  EXPECT_FALSE(ParseSize("18446744073709551616B"));
  EXPECT_FALSE(ParseSize("18446744073709551615KiB"));
  EXPECT_EQ(ParseSize("16777215TiB"), 16777215ull << 40);
  EXPECT_FALSE(ParseSize("16777216TiB"));
}

TEST(Duration, IsAWholeNumberAndAUnit) {
  EXPECT_EQ(ParseDurationMs("0s"), 0);
  EXPECT_EQ(ParseDurationMs("250ms"), 250);
  EXPECT_EQ(ParseDurationMs("10s"), 10'000);
  EXPECT_EQ(ParseDurationMs("15m"), 900'000);
  EXPECT_EQ(ParseDurationMs("2h"), 7'200'000);
  EXPECT_EQ(ParseDurationMs("7d"), 604'800'000);
}

TEST(Duration, IsRefusedWhenItDoesNotFit) {
  EXPECT_EQ(ParseDurationMs("9223372036854775807ms"), std::numeric_limits<std::int64_t>::max());
  EXPECT_FALSE(ParseDurationMs("9223372036854775808ms"));
  EXPECT_FALSE(ParseDurationMs("9223372036854775807d"));
}

TEST(Quantity, IsWrittenInItsLargestExactUnit) {
  EXPECT_EQ(FormatSize(0), "0B");
  EXPECT_EQ(FormatSize(1000), "1000B");
  EXPECT_EQ(FormatSize(65536), "64KiB");
  EXPECT_EQ(FormatSize(std::uint64_t{1} << 50), "1024TiB");
  EXPECT_EQ(FormatDurationMs(0), "0s");
  EXPECT_EQ(FormatDurationMs(1500), "1500ms");
  EXPECT_EQ(FormatDurationMs(90'000), "90s");
  EXPECT_EQ(FormatDurationMs(604'800'000), "7d");
}

TEST(Quantity, ReadsWhatItWrites) {
  for (std::uint64_t bytes = 1; bytes < std::uint64_t{1} << 60; bytes = bytes * 3 + 1) {
    EXPECT_EQ(ParseSize(FormatSize(bytes)), bytes);
    const auto ms = static_cast<std::int64_t>(bytes);
    EXPECT_EQ(ParseDurationMs(FormatDurationMs(ms)), ms);
  }
}

}  // namespace
}  // namespace weir::config
