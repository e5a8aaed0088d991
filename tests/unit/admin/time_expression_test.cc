#include "engine/admin/time_expression.h"

#include <gtest/gtest.h>

namespace weir::admin {
namespace {

constexpr std::int64_t kNowUs = 1'795'296'120'123'456;  // 2026-11-21T21:22:00.123456Z
constexpr std::int64_t kSecondUs = 1'000'000;

std::int64_t Parsed(std::string_view text) {
  const auto time = ParseTime(text, kNowUs);
  EXPECT_TRUE(time.has_value()) << text << ": " << time.error();
  return time.value_or(-1);
}

TEST(TimeExpression, ReadsRfc3339WithFractionAndOffset) {
  EXPECT_EQ(Parsed("2026-11-21T21:22:00.123456Z"), kNowUs);
  EXPECT_EQ(Parsed("2026-11-21t21:22:00.123456z"), kNowUs);
  EXPECT_EQ(Parsed("2026-11-21 21:22:00.123456Z"), kNowUs);
  EXPECT_EQ(Parsed("2026-11-21T23:22:00.123456+02:00"), kNowUs);
  EXPECT_EQ(Parsed("2026-11-21T15:52:00.123456-05:30"), kNowUs);
  EXPECT_EQ(Parsed("1970-01-01T00:00:00Z"), 0);
  EXPECT_EQ(Parsed("1969-12-31T23:59:59.5Z"), -500'000);
}

TEST(TimeExpression, CutsWhatIsFinerThanMicroseconds) {
  EXPECT_EQ(Parsed("1970-01-01T00:00:00.0000019Z"), 1);
}

TEST(TimeExpression, ReadsADateAsItsFirstInstantInUtc) {
  EXPECT_EQ(Parsed("2026-11-21"), Parsed("2026-11-21T00:00:00Z"));
}

TEST(TimeExpression, ReadsALeapSecondAsTheNextSecond) {
  EXPECT_EQ(Parsed("2016-12-31T23:59:60Z"), Parsed("2017-01-01T00:00:00Z"));
}

TEST(TimeExpression, CountsLengthsBackFromNow) {
  EXPECT_EQ(Parsed("now"), kNowUs);
  EXPECT_EQ(Parsed("30s"), kNowUs - 30 * kSecondUs);
  EXPECT_EQ(Parsed("15m"), kNowUs - 900 * kSecondUs);
  EXPECT_EQ(Parsed("2h30m"), kNowUs - 9000 * kSecondUs);
  EXPECT_EQ(Parsed("7d"), kNowUs - 604'800 * kSecondUs);
  EXPECT_EQ(Parsed("1w"), Parsed("7d"));
}

TEST(TimeExpression, RefusesWhatIsNeither) {
  for (const char* text :
       {"", "yesterday", "15", "m", "15x", "-15m", "15m ", "2026-13-01", "2026-02-29", "2026-11-21T25:00:00Z",
        "2026-11-21T21:22:00", "2026-11-21T21:22Z", "2026-11-21T21:22:00.Z", "2026-11-21T21:22:00Zx",
        "2026-11-21T21:22:00+2:00", "99999999999999999999d", "9223372036854775807s", "99999999d"}) {
    EXPECT_FALSE(ParseTime(text, kNowUs).has_value()) << text;
  }
}

TEST(TimeExpression, WritesRfc3339InUtcAndReadsItBack) {
  EXPECT_EQ(FormatTime(kNowUs), "2026-11-21T21:22:00.123456Z");
  EXPECT_EQ(FormatTime(0), "1970-01-01T00:00:00.000000Z");
  EXPECT_EQ(Parsed(FormatTime(-1)), -1);
}

TEST(TimeExpression, WritesDurationsInTheirTwoLargestUnits) {
  EXPECT_EQ(FormatDuration(-5), "0us");
  EXPECT_EQ(FormatDuration(999), "999us");
  EXPECT_EQ(FormatDuration(850'000), "850ms");
  EXPECT_EQ(FormatDuration(12 * kSecondUs), "12s");
  EXPECT_EQ(FormatDuration(200 * kSecondUs), "3m20s");
  EXPECT_EQ(FormatDuration(3600 * kSecondUs), "1h");
  EXPECT_EQ(FormatDuration((4 * 86400 + 3 * 3600 + 59) * kSecondUs), "4d3h");
}

}  // namespace
}  // namespace weir::admin
