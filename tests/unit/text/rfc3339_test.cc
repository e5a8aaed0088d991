#include "engine/text/rfc3339.h"

#include <gtest/gtest.h>

namespace weir::text {
namespace {

TEST(AppendRfc3339, KeepsMicrosecondsAndPads) {
  const auto text = [](std::int64_t us) {
    std::string out;
    AppendRfc3339(out, us);
    return out;
  };
  EXPECT_EQ(text(0), "1970-01-01T00:00:00.000000Z");
  EXPECT_EQ(text(951'782'399'999'999), "2000-02-28T23:59:59.999999Z");
  EXPECT_EQ(text(951'782'400'000'001), "2000-02-29T00:00:00.000001Z");
  EXPECT_EQ(text(4'102'444'799'000'000), "2099-12-31T23:59:59.000000Z");
}

TEST(AppendRfc3339, CountsBackBeforeTheEpoch) {
  std::string out;
  AppendRfc3339(out, -1);
  EXPECT_EQ(out, "1969-12-31T23:59:59.999999Z");
}

TEST(AppendRfc3339, ToTheSecondHasNoFraction) {
  std::string out = "at ";
  AppendRfc3339Seconds(out, 1'767'225'600);
  EXPECT_EQ(out, "at 2026-01-01T00:00:00Z");
}

TEST(ParseRfc3339, TakesFractionsAndOffsets) {
  EXPECT_EQ(ParseRfc3339("2026-01-01T00:00:00Z"), 1'767'225'600'000'000);
  EXPECT_EQ(ParseRfc3339("2026-01-01t00:00:00z"), 1'767'225'600'000'000);
  EXPECT_EQ(ParseRfc3339("2026-01-01T00:00:00.123456789Z"), 1'767'225'600'123'456);
  EXPECT_EQ(ParseRfc3339("2026-01-01T02:00:00+02:00"), 1'767'225'600'000'000);
  EXPECT_EQ(ParseRfc3339("2025-12-31T16:00:00-08:00"), 1'767'225'600'000'000);
  EXPECT_EQ(ParseRfc3339("1969-12-31T23:59:59.5Z"), -500'000);
}

TEST(ParseRfc3339, ReadsALeapSecondAsTheNextSecond) {
  EXPECT_EQ(ParseRfc3339("2016-12-31T23:59:60Z"), ParseRfc3339("2017-01-01T00:00:00Z"));
}

TEST(ParseRfc3339, RefusesEverythingElse) {
  for (const char* text :
       {"2026-01-01", "2026-01-01T00:00:00", "2026-13-01T00:00:00Z", "2025-02-29T00:00:00Z",
        "2026-01-01T24:00:00Z", "2026-01-01T00:60:00Z", "2026-01-01T00:00:61Z", "2026-01-01T00:00:00.Z",
        "2026-01-01T00:00:00ZZ", "2026-01-01T00:00:00+0200", "2026-01-01T00:00:00+24:00",
        "2026-01-01 00:00:00Z", "-026-01-01T00:00:00Z", "1767225600", ""}) {
    EXPECT_FALSE(ParseRfc3339(text)) << text;
  }
}

TEST(ParseRfc3339, ReadsWhatWasWritten) {
  for (const std::int64_t us : {-1L, 0L, 951'782'400'000'001L, 4'102'444'799'999'999L}) {
    std::string out;
    AppendRfc3339(out, us);
    EXPECT_EQ(ParseRfc3339(out), us) << out;
  }
}

}  // namespace
}  // namespace weir::text
