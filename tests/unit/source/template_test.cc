#include "engine/source/template.h"

#include <gtest/gtest.h>

namespace weir::source {
namespace {

using Kind = Segment::Kind;

std::size_t ErrorColumn(std::string_view text) {
  const auto parsed = Template::Parse(text);
  return parsed ? 0 : parsed.error().column;
}

TEST(Template, SplitsIntoLiteralsAndVariables) {
  const auto parsed = Template::Parse("v0:{timestamp}:{body}");
  ASSERT_TRUE(parsed);
  ASSERT_EQ(parsed->segments.size(), 4U);
  EXPECT_EQ(parsed->segments[0].text, "v0:");
  EXPECT_EQ(parsed->segments[1].kind, Kind::kTimestamp);
  EXPECT_EQ(parsed->segments[2].text, ":");
  EXPECT_EQ(parsed->segments[3].kind, Kind::kBody);
}

TEST(Template, DoubledBracesAreBraces) {
  const auto parsed = Template::Parse("{{\"type\":1}}");
  ASSERT_TRUE(parsed);
  ASSERT_EQ(parsed->segments.size(), 1U);
  EXPECT_EQ(parsed->segments[0].text, "{\"type\":1}");
}

TEST(Template, HeaderNamesAreKeptInLowerCase) {
  const auto parsed = Template::Parse("{header:X-Acme-Id}");
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->segments[0].location.name, "x-acme-id");
}

TEST(Template, JsonPointersAndFunctionsAreVariables) {
  const auto parsed = Template::Parse("{json:/a/0}{sha256(body)}{hmac_hex(json:/t)}{parameter:webhook_id}");
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->segments[0].location.pointer.ToString(), "/a/0");
  EXPECT_EQ(parsed->segments[1].kind, Kind::kBodySha256Hex);
  EXPECT_EQ(parsed->segments[2].kind, Kind::kHmacHex);
  EXPECT_EQ(parsed->segments[3].text, "webhook_id");
}

TEST(Template, AMistakeIsReportedAtItsColumn) {
  EXPECT_EQ(ErrorColumn("{timestamp}.{bdy}"), 14U);
  EXPECT_EQ(ErrorColumn("{timestamp}.{body"), 13U);
  EXPECT_EQ(ErrorColumn("{timestamp}}"), 12U);
  EXPECT_EQ(ErrorColumn("{}"), 2U);
  EXPECT_EQ(ErrorColumn("{header:}"), 2U);
  EXPECT_EQ(ErrorColumn("{json:id}"), 2U);
  EXPECT_EQ(ErrorColumn("{cookie:x}"), 2U);
}

TEST(Template, AnUnknownVariableIsAnsweredWithTheKnownOnes) {
  const auto parsed = Template::Parse("{bdy}");
  ASSERT_FALSE(parsed);
  EXPECT_NE(parsed.error().reason.find("{body}"), std::string::npos);
}

}  // namespace
}  // namespace weir::source
