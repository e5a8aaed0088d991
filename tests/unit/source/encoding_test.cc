#include "engine/source/encoding.h"

#include <gtest/gtest.h>

#include <array>

namespace weir::source {
namespace {

std::string Base64(std::string_view text, Base64Form form = Base64Form::kPadded) {
  std::array<std::uint8_t, 64> out{};
  const auto size = DecodeBase64(text, out, form);
  return size ? std::string(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(*size)) : "refused";
}

std::string Hex(std::string_view text, HexCase hex_case = HexCase::kLower) {
  std::array<std::uint8_t, 64> out{};
  const auto size = DecodeHex(text, out, hex_case);
  return size ? std::string(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(*size)) : "refused";
}

// RFC 4648 §10.
TEST(Encoding, Base64OfTheStandardsVectors) {
  EXPECT_EQ(Base64(""), "");
  EXPECT_EQ(Base64("Zg=="), "f");
  EXPECT_EQ(Base64("Zm8="), "fo");
  EXPECT_EQ(Base64("Zm9v"), "foo");
  EXPECT_EQ(Base64("Zm9vYmFy"), "foobar");
}

TEST(Encoding, Base64WithoutPaddingIsRefused) {
  EXPECT_EQ(Base64("Zg"), "refused");
}
TEST(Encoding, Base64WithTooMuchPaddingIsRefused) {
  EXPECT_EQ(Base64("Zg==="), "refused");
}
TEST(Encoding, Base64OfPaddingAloneIsRefused) {
  EXPECT_EQ(Base64("===="), "refused");
  EXPECT_EQ(Base64("A==="), "refused");
}
TEST(Encoding, Base64WithPaddingInsideIsRefused) {
  EXPECT_EQ(Base64("Zg==Zm9v"), "refused");
}
TEST(Encoding, Base64WithStrayBitsIsRefused) {
  EXPECT_EQ(Base64("Zh=="), "refused");
}
TEST(Encoding, Base64WithWhiteSpaceIsRefused) {
  EXPECT_EQ(Base64("Zm9v Zm9"), "refused");
}
TEST(Encoding, Base64OfTheOtherAlphabetIsRefused) {
  EXPECT_EQ(Base64("-_-_"), "refused");
  EXPECT_EQ(Base64("+/+/", Base64Form::kUrlUnpadded), "refused");
}
TEST(Encoding, UnpaddedBase64UrlRefusesPadding) {
  EXPECT_EQ(Base64("Zg", Base64Form::kUrlUnpadded), "f");
  EXPECT_EQ(Base64("Zg==", Base64Form::kUrlUnpadded), "refused");
}
TEST(Encoding, Base64PastTheRoomIsRefused) {
  std::array<std::uint8_t, 2> out{};
  EXPECT_FALSE(DecodeBase64("Zm9v", out, Base64Form::kPadded));
}

TEST(Encoding, HexIsLowerCaseUnlessSaidOtherwise) {
  EXPECT_EQ(Hex("666f6f"), "foo");
  EXPECT_EQ(Hex("666F6F"), "refused");
  EXPECT_EQ(Hex("666F6F", HexCase::kAny), "foo");
}
TEST(Encoding, HexOfOddLengthIsRefused) {
  EXPECT_EQ(Hex("666"), "refused");
}
TEST(Encoding, HexOfOtherCharactersIsRefused) {
  EXPECT_EQ(Hex("6g"), "refused");
}

TEST(Encoding, KeysMayLackTheirPaddingAndUseEitherAlphabet) {
  const auto expected = DecodeKeyBase64("+/+/Zg==");
  ASSERT_TRUE(expected);
  EXPECT_EQ(DecodeKeyBase64("+/+/Zg"), expected);
  EXPECT_EQ(DecodeKeyBase64("-_-_Zg"), expected);
  EXPECT_FALSE(DecodeKeyBase64("not base64!"));
}

TEST(Encoding, WhatIsEncodedIsDecodedAgain) {
  std::string bytes;
  for (int size = 0; size < 48; ++size) {
    std::string text;
    AppendBase64(text, {reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()},
                 Base64Form::kPadded);
    EXPECT_EQ(Base64(text), bytes);
    text.clear();
    AppendBase64(text, {reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()},
                 Base64Form::kUrlUnpadded);
    EXPECT_EQ(Base64(text, Base64Form::kUrlUnpadded), bytes);
    text.clear();
    AppendHex(text, {reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
    EXPECT_EQ(Hex(text), bytes);
    bytes.push_back(static_cast<char>(size * 37 + 200));
  }
}

}  // namespace
}  // namespace weir::source
