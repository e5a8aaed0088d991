#include "engine/source/timestamp.h"

#include <gtest/gtest.h>

namespace weir::source {
namespace {

constexpr auto kSeconds = TimeUnit::kSeconds;
constexpr auto kMillis = TimeUnit::kMilliseconds;
constexpr auto kRfc3339 = TimeUnit::kRfc3339;

TEST(Timestamp, UnixTimesAreDigits) {
  EXPECT_EQ(ParseTimestamp("1767225600", kSeconds), 1'767'225'600'000'000);
  EXPECT_EQ(ParseTimestamp("1767225600123", kMillis), 1'767'225'600'123'000);
  EXPECT_EQ(ParseTimestamp("0", kSeconds), 0);
}

TEST(Timestamp, AnythingButDigitsIsNoUnixTime) {
  for (const char* text : {"", "-1", "+1", " 1767225600", "1767225600 ", "1767225600.5", "1e9", "0x10",
                           "1767225600abc", "NaN", "99999999999999999999", "9223372036854775808"}) {
    EXPECT_FALSE(ParseTimestamp(text, kSeconds)) << text;
  }
}

TEST(Timestamp, ALeadingZeroIsAnotherTextForTheSameTime) {
  EXPECT_FALSE(ParseTimestamp("01767225600", kSeconds));
}

TEST(Timestamp, Rfc3339WithFractionsAndOffsets) {
  EXPECT_EQ(ParseTimestamp("2026-01-01T00:00:00Z", kRfc3339), 1'767'225'600'000'000);
  EXPECT_EQ(ParseTimestamp("2026-01-01T00:00:00.123456789Z", kRfc3339), 1'767'225'600'123'456);
  EXPECT_EQ(ParseTimestamp("2026-01-01T02:00:00+02:00", kRfc3339), 1'767'225'600'000'000);
  EXPECT_EQ(ParseTimestamp("2025-12-31T16:00:00-08:00", kRfc3339), 1'767'225'600'000'000);
  EXPECT_EQ(ParseTimestamp("2024-02-29T12:00:00.5Z", kRfc3339), 1'709'208'000'500'000);
}

TEST(Timestamp, WhatIsNoRfc3339IsRefused) {
  for (const char* text :
       {"2026-01-01", "2026-01-01T00:00:00", "2026-13-01T00:00:00Z", "2025-02-29T00:00:00Z",
        "2026-01-01T24:00:00Z", "2026-01-01T00:00:00.Z", "2026-01-01T00:00:00ZZ", "2026-01-01T00:00:00+0200",
        "2026-01-01 00:00:00Z", "1767225600", ""}) {
    EXPECT_FALSE(ParseTimestamp(text, kRfc3339)) << text;
  }
}

TEST(Timestamp, WhatIsWrittenIsReadAgain) {
  for (const TimeUnit unit : {kSeconds, kMillis, kRfc3339}) {
    EXPECT_EQ(ParseTimestamp(FormatTimestamp(1'767'225'600, unit), unit), 1'767'225'600'000'000);
  }
}

}  // namespace
}  // namespace weir::source
