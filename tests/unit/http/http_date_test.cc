#include "engine/http/http_date.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace weir::http {
namespace {

constexpr std::int64_t kDate = 784'111'777;       // Sun, 06 Nov 1994 08:49:37 GMT
constexpr std::int64_t kNow2026 = 1'795'654'800;  // Thu, 26 Nov 2026 01:00:00 GMT
constexpr std::int64_t kNow2099 = 4'102'358'400;  // Thu, 31 Dec 2099 00:00:00 GMT

TEST(HttpDate, EveryFormOfTheStandardsExample) {
  EXPECT_EQ(ParseHttpDate("Sun, 06 Nov 1994 08:49:37 GMT", kNow2026), kDate);
  EXPECT_EQ(ParseHttpDate("Sunday, 06-Nov-94 08:49:37 GMT", kNow2026), kDate);
  EXPECT_EQ(ParseHttpDate("Sun Nov  6 08:49:37 1994", kNow2026), kDate);
}

TEST(HttpDate, AsctimesDayMayHaveTwoDigits) {
  EXPECT_EQ(ParseHttpDate("Wed Nov 16 08:49:37 1994", kNow2026), kDate + std::int64_t{10} * 86'400);
  EXPECT_EQ(ParseHttpDate("Sun Nov 06 08:49:37 1994", kNow2026), kDate);
}

TEST(HttpDate, WrongNameOfTheDayIsNotTheDatesFault) {
  EXPECT_EQ(ParseHttpDate("Mon, 06 Nov 1994 08:49:37 GMT", kNow2026), kDate);
  EXPECT_EQ(ParseHttpDate("Monday, 06-Nov-94 08:49:37 GMT", kNow2026), kDate);
}

TEST(HttpDate, EveryMonthHasItsPlace) {
  const std::string_view months = "JanFebMarAprMayJunJulAugSepOctNovDec";
  std::int64_t before = 0;
  for (std::size_t at = 0; at < months.size(); at += 3) {
    const auto date =
        ParseHttpDate("Sun, 06 " + std::string(months.substr(at, 3)) + " 1994 00:00:00 GMT", kNow2026);
    ASSERT_TRUE(date) << months.substr(at, 3);
    EXPECT_GT(*date, before);
    before = *date;
  }
}

std::optional<std::int64_t> YearOf(std::string_view two_digits, std::int64_t now_unix_s) {
  const auto date = ParseHttpDate("Sunday, 01-Jan-" + std::string(two_digits) + " 00:00:00 GMT", now_unix_s);
  if (!date) return std::nullopt;
  for (int year = 1900; year < 2200; ++year) {
    if (ParseHttpDate("Sun, 01 Jan " + std::to_string(year) + " 00:00:00 GMT", now_unix_s) == date)
      return year;
  }
  return std::nullopt;
}

TEST(HttpDate, YearOfTwoDigitsIsAtMostFiftyYearsAhead) {
  EXPECT_EQ(YearOf("26", kNow2026), 2026);
  EXPECT_EQ(YearOf("27", kNow2026), 2027);
  EXPECT_EQ(YearOf("76", kNow2026), 2076);
  EXPECT_EQ(YearOf("77", kNow2026), 1977);
  EXPECT_EQ(YearOf("94", kNow2026), 1994);
  EXPECT_EQ(YearOf("00", kNow2026), 2000);
  EXPECT_EQ(YearOf("00", kNow2099), 2100);
  EXPECT_EQ(YearOf("99", kNow2099), 2099);
}

TEST(HttpDate, LeapDayAndLeapSecond) {
  EXPECT_TRUE(ParseHttpDate("Thu, 29 Feb 2024 00:00:00 GMT", kNow2026));
  EXPECT_FALSE(ParseHttpDate("Wed, 29 Feb 2023 00:00:00 GMT", kNow2026));
  EXPECT_TRUE(ParseHttpDate("Sat, 31 Dec 2016 23:59:60 GMT", kNow2026));
}

TEST(HttpDate, AnythingElseIsNone) {
  for (const std::string_view text : {"",
                                      "Sun",
                                      "Sun, 31 Feb 1994 08:49:37 GMT",
                                      "Sun, 06 Nov 1994 25:49:37 GMT",
                                      "Sun, 06 Nov 1994 24:00:00 GMT",
                                      "Sun, 06 Now 1994 08:49:37 GMT",
                                      "Sun, 06 Nov 1994 08:49:37 UTC",
                                      "Sun, 06 Nov 1994 08:49:37 +0000",
                                      "Sun, 06 Nov 1994 08:49:37",
                                      "Sun, 0- Nov 1994 08:49:37 GMT",
                                      "Sun, 6 Nov 1994 08:49:37 GMT",
                                      "Sun, 06 Nov 94 08:49:37 GMT",
                                      "Sun, 00 Nov 1994 08:49:37 GMT",
                                      "Sun,06 Nov 1994 08:49:37 GMT",
                                      "Sun, 06 Nov 1994 08:49:61 GMT",
                                      "Sun, 06 Nov 1994 08:60:37 GMT",
                                      "Sun, 06 Nov 1994 08:49:37 GMT ",
                                      "sun, 06 nov 1994 08:49:37 gmt",
                                      "Sunday, 06-Nov-1994 08:49:37 GMT",
                                      "Sunday, 06-Nov-94 08:49:37",
                                      "Sunday, 6-Nov-94 08:49:37 GMT",
                                      "Sun Nov  6 08:49:37 1994 GMT",
                                      "Sun Nov 6 08:49:37 1994",
                                      "Sun Nov    08:49:37 1994",
                                      "06 Nov 1994 08:49:37 GMT",
                                      "1994-11-06T08:49:37Z"}) {
    EXPECT_EQ(ParseHttpDate(text, kNow2026), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace weir::http
