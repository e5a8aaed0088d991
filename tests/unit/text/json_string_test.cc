#include "engine/text/json_string.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

namespace weir::text {
namespace {

using namespace std::string_literals;

std::string Quoted(std::string_view text) {
  std::string out;
  AppendJsonString(out, text);
  return out;
}

TEST(JsonString, EscapesWhatRfc8259Demands) {
  EXPECT_EQ(Quoted("a\"b\\c"), R"("a\"b\\c")");
  EXPECT_EQ(Quoted("\b\f\n\r\t/"), R"("\b\f\n\r\t/")");
  EXPECT_EQ(Quoted("\0\x1f\x7f"s), R"("\u0000\u001f\u007f")");
}

TEST(JsonString, KeepsWellFormedUtf8) {
  EXPECT_EQ(Quoted("é€𝄞"), "\"é€𝄞\"");
  EXPECT_EQ(Quoted("\xed\x9f\xbf \xf4\x8f\xbf\xbf"), "\"\xed\x9f\xbf \xf4\x8f\xbf\xbf\"");
}

TEST(JsonString, ReplacesEachMaximalIllFormedPartOnce) {
  EXPECT_EQ(Quoted("a\x80z"), "\"a\uFFFDz\"");
  EXPECT_EQ(Quoted("\xE2\x82"), "\"\uFFFD\"") << "cut short";
  EXPECT_EQ(Quoted("\xE2\x28\xA1"), "\"\uFFFD(\uFFFD\"") << "the byte that breaks the sequence is kept";
  EXPECT_EQ(Quoted("\xC0\xAF"), "\"\uFFFD\uFFFD\"") << "overlong";
  EXPECT_EQ(Quoted("\xED\xA0\x80"), "\"\uFFFD\uFFFD\uFFFD\"") << "a surrogate";
  EXPECT_EQ(Quoted("\xF4\x90\x80\x80"), "\"\uFFFD\uFFFD\uFFFD\uFFFD\"") << "past U+10FFFF";
  EXPECT_EQ(Quoted("\xff"), "\"\uFFFD\"") << "never a byte of UTF-8";
  EXPECT_EQ(Quoted("\xf1\x80\xe2\x82\xac"), "\"\uFFFD\xe2\x82\xac\"") << "cut by another character";
}

TEST(JsonString, TheInsideHasNoQuotes) {
  std::string out = "<";
  AppendJsonEscaped(out, "a\"b");
  EXPECT_EQ(out, R"(<a\"b)");
}

TEST(JsonString, IsValidJsonForEveryPairOfBytes) {
  for (unsigned first = 0; first < 256; ++first) {
    for (unsigned second = 0; second < 256; ++second) {
      const std::string text = {static_cast<char>(first), static_cast<char>(second)};
      ASSERT_TRUE(nlohmann::json::accept(Quoted(text))) << first << ' ' << second;
    }
  }
}

}  // namespace
}  // namespace weir::text
