#include "engine/text/attribute.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>

namespace weir::text {
namespace {

std::optional<std::string> Decoded(std::string_view value) {
  std::string text;
  if (!DecodeAttributeField(value, text)) return std::nullopt;
  return text;
}

TEST(AttributeField, EscapesAreDecodedOnce) {
  EXPECT_EQ(Decoded("a%20b"), "a b");
  EXPECT_EQ(Decoded("%E2%82%ac"), "\xE2\x82\xAC");
  EXPECT_EQ(Decoded("a%2520b"), "a%20b");
  EXPECT_EQ(Decoded(""), "");
}

TEST(AttributeField, TextThatWasNeverEscapedIsTaken) {
  EXPECT_EQ(Decoded("100%"), "100%");
  EXPECT_EQ(Decoded("100% of %zz"), "100% of %zz");
  EXPECT_EQ(Decoded("\xC3\xA9"), "\xC3\xA9");
}

TEST(AttributeField, QuotedStringIsUnquoted) {
  EXPECT_EQ(Decoded(R"("a \"b\" %20")"), R"(a "b"  )");
  EXPECT_EQ(Decoded("\""), "\"");
}

TEST(AttributeField, WhatIsNotUtf8IsNoAttribute) {
  for (const std::string_view value : {"%FF", "%C3", "%ED%A0%80", "%C0%80", "\xFF", "a%E2%82"}) {
    EXPECT_EQ(Decoded(value), std::nullopt) << value;
  }
}

TEST(AttributeField, ControlCharactersAndNoncharactersAreNoAttribute) {
  for (const std::string_view value : {"%00", "a%0D%0Ab", "%7F", "%C2%85", "%EF%BF%BF", "%F0%9F%BF%BE"}) {
    EXPECT_EQ(Decoded(value), std::nullopt) << value;
  }
  EXPECT_EQ(Decoded("%F0%9F%98%80"), "\xF0\x9F\x98\x80");
}

TEST(AttributeField, EveryTextComesBackFromItsField) {
  for (const std::string_view text : {"a b", "\"quoted\"", "100%", "\xE2\x82\xAC", "plain-1.2:3/4"}) {
    std::string field;
    AppendAttributeField(field, text);
    EXPECT_EQ(Decoded(field), text);
  }
}

}  // namespace
}  // namespace weir::text
