// Keys sort as what they stand for; values notice damage and being somebody else's.
#include "storage/keys.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "storage/delivery_values.h"
#include "storage/value_codec.h"

namespace weir::storage {
namespace {

TEST(Keys, SequencesSortAsNumbers) {
  const std::vector<Sequence> sequences = {1, 2, 255, 256, 65535, 65536, std::uint64_t{1} << 40, UINT64_MAX};
  for (std::size_t i = 1; i < sequences.size(); ++i) {
    EXPECT_LT(SequenceKey(sequences[i - 1]).view(), SequenceKey(sequences[i]).view());
  }
}

TEST(Keys, RetriesSortByTimeThenSequence) {
  EXPECT_LT(RetryKey("b", INT64_MIN, 9), RetryKey("b", -1, 1));
  EXPECT_LT(RetryKey("b", -1, 9), RetryKey("b", 0, 1));
  EXPECT_LT(RetryKey("b", 5, 1), RetryKey("b", 5, 2));
  EXPECT_LT(RetryKey("b", 5, 2), RetryKey("b", 6, 1));
}

TEST(Keys, ComeBackApart) {
  const std::string retry = RetryKey("billing", -17, 42);
  ASSERT_TRUE(ParseRetryKey(retry));
  EXPECT_EQ(ParseRetryKey(retry)->sink, "billing");
  EXPECT_EQ(ParseRetryKey(retry)->due_us, -17);
  EXPECT_EQ(ParseRetryKey(retry)->sequence, 42u);
  EXPECT_EQ(ParseDeadKey(DeadKey("-", 7)), std::pair(std::string_view("-"), Sequence{7}));
  EXPECT_EQ(ParsePositionKey(PositionKey("billing")), "billing");
  EXPECT_EQ(ParseConflictKey(ConflictKey(9, 1))->stored, 9u);
  EXPECT_EQ(ParseConflictKey(ConflictKey(9, 1))->hash, 1u);
  EXPECT_FALSE(ParseConflictKey(RepeatsKey(9)));
  EXPECT_FALSE(ParseRepeatsKey(ConflictKey(9, 1)));
  EXPECT_EQ(ParseStoredOf(RepeatsKey(9)), 9u);
  EXPECT_EQ(ParseStoredOf(ConflictKey(9, 1)), 9u);
}

TEST(Keys, OfAnotherShapeAreNotTaken) {
  EXPECT_FALSE(ParseRetryKey("r"));
  EXPECT_FALSE(ParseRetryKey("rbilling"));
  EXPECT_FALSE(ParseRetryKey(RetryKey("b", 1, 1) + "x"));
  EXPECT_FALSE(ParseRetryKey(PositionKey("billing")));
  EXPECT_FALSE(ParseDeadKey("billing"));
  EXPECT_FALSE(ParseDeadKey(DeadKey("b", 1) + "x"));
  EXPECT_FALSE(ParsePositionKey("p"));
  EXPECT_FALSE(ParseSequenceKey("1234567"));
}

TEST(Values, ComeBackAsTheyWereWritten) {
  const std::string value = std::move(ValueWriter(3).U8(1).U32(2).U64(3).I64(-4).Text("five")).Finish("key");
  auto reader = ValueReader::Open("key", value);
  ASSERT_TRUE(reader);
  EXPECT_EQ(reader->version(), 3);
  EXPECT_EQ(reader->U8(), 1);
  EXPECT_EQ(reader->U32(), 2u);
  EXPECT_EQ(reader->U64(), 3u);
  EXPECT_EQ(reader->I64(), -4);
  EXPECT_EQ(reader->Text(), "five");
  EXPECT_TRUE(reader->Complete());
}

TEST(Values, NoticeEveryFlippedBitAndEveryCut) {
  const std::string value = std::move(ValueWriter(1).U32(2).Text("five")).Finish("key");
  for (std::size_t bit = 0; bit < value.size() * 8; ++bit) {
    std::string damaged = value;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_FALSE(ValueReader::Open("key", damaged)) << bit;
  }
  for (std::size_t size = 0; size < value.size(); ++size) {
    EXPECT_FALSE(ValueReader::Open("key", std::string_view(value).substr(0, size))) << size;
  }
}

TEST(Values, AreBoundToTheirKey) {
  const std::string value = std::move(ValueWriter(1).U32(2)).Finish("key");
  EXPECT_FALSE(ValueReader::Open("kez", value));
}

TEST(Values, ShorterOrLongerThanExpectedAreNotComplete) {
  const std::string value = std::move(ValueWriter(1).U32(200)).Finish("key");
  auto more = ValueReader::Open("key", value);
  more->U32();
  EXPECT_EQ(more->U64(), 0u);
  EXPECT_FALSE(more->Complete());
  auto less = ValueReader::Open("key", value);
  EXPECT_FALSE(less->Complete());
  auto text = ValueReader::Open("key", value);  // a length of 200 and nothing behind it
  EXPECT_EQ(text->Text(), "");
  EXPECT_FALSE(text->Complete());
}

TEST(Values, APositionKeepsRangesOfSettledEvents) {
  std::vector<Sequence> above;
  for (Sequence sequence = 100; sequence < 5000; ++sequence) {
    if (sequence % 1000 != 0) above.push_back(sequence);
  }
  const std::string value = EncodePosition("k", {.offset = 98, .above = above, .began = 42});
  EXPECT_LT(value.size(), 100u);
  EXPECT_EQ(DecodePosition("k", value)->above, above);
  EXPECT_EQ(DecodePosition("k", value)->began, 42u);
}

}  // namespace
}  // namespace weir::storage
