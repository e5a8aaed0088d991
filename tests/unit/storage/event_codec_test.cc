#include "storage/event_codec.h"

#include <gtest/gtest.h>

#include <string>

namespace weir::storage {
namespace {

const Event kEvent{.received_at_us = 1'790'000'000'123'456,
                   .source = "stripe",
                   .id = "evt_1",
                   .type = "invoice.paid",
                   .malformed = "",
                   .headers = "Content-Type: application/json\r\n",
                   .body = "{\"id\":\"evt_1\"}"};

std::string Sealed(const Event& event, Sequence sequence, std::uint64_t previous) {
  std::string record(EncodedSize(event), '\0');
  Encode(event, record.data());
  Seal(record.data(), record.size(), sequence, previous, 7);
  return record;
}

void ExpectSameFields(const Event& got, const Event& wanted) {
  EXPECT_EQ(got.received_at_us, wanted.received_at_us);
  EXPECT_EQ(got.source, wanted.source);
  EXPECT_EQ(got.id, wanted.id);
  EXPECT_EQ(got.type, wanted.type);
  EXPECT_EQ(got.malformed, wanted.malformed);
  EXPECT_EQ(got.headers, wanted.headers);
  EXPECT_EQ(got.body, wanted.body);
}

TEST(EventCodec, GivesBackWhatWasEncoded) {
  const std::string record = Sealed(kEvent, 42, 9);
  const auto event = Decode(record);
  ASSERT_TRUE(event);
  EXPECT_EQ(event->sequence, 42u);
  ExpectSameFields(*event, kEvent);
  EXPECT_EQ(PreviousCheckOf(record), 9u);
  EXPECT_EQ(DedupeWindowOf(record), 7);
  EXPECT_EQ(IdentityOf(record), "stripeevt_1");
}

TEST(EventCodec, KeepsAnEventOfEmptyFieldsAndBytesOfEveryValue) {
  std::string body;
  for (int value = 0; value < 256; ++value) body.push_back(static_cast<char>(value));
  Event event;
  event.source = "s";
  event.id = "i";
  event.malformed = "no id";
  event.body = body;
  const std::string record = Sealed(event, 1, 0);
  ExpectSameFields(*Decode(record), event);
}

TEST(EventCodec, PeeksAtAnUnsealedRecord) {
  std::string record(EncodedSize(kEvent), '\0');
  Encode(kEvent, record.data());
  ExpectSameFields(Peek(record.data(), record.size()), kEvent);
  EXPECT_EQ(RecordSize(record.data()), record.size());
}

TEST(EventCodec, SealingAgainReplacesTheSeal) {
  std::string record = Sealed(kEvent, 3, 1);
  const std::uint64_t check = Seal(record.data(), record.size(), 8, 2);
  const auto event = Decode(record);
  ASSERT_TRUE(event);
  EXPECT_EQ(event->sequence, 8u);
  EXPECT_EQ(PreviousCheckOf(record), 2u);
  EXPECT_EQ(CheckOf(record), check);
}

TEST(EventCodec, NoticesAFlipOfAnyBit) {
  const std::string record = Sealed(kEvent, 42, 9);
  for (std::size_t bit = 0; bit < record.size() * 8; ++bit) {
    std::string damaged = record;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_FALSE(Decode(damaged)) << "bit " << bit;
  }
}

TEST(EventCodec, KeepsWhatFewSendersSayInAnExtension) {
  Event event = kEvent;
  event.substance = 0x0123456789abcdef;
  event.attempt = 4;
  event.test = true;
  const std::string record = Sealed(event, 42, 9);
  EXPECT_EQ(record.size(), Sealed(kEvent, 42, 9).size() + 16);
  const auto read = Decode(record);
  ASSERT_TRUE(read);
  ExpectSameFields(*read, event);
  EXPECT_EQ(read->substance, event.substance);
  EXPECT_EQ(read->attempt, 4u);
  EXPECT_TRUE(read->test);
  EXPECT_FALSE(read->untyped);
  EXPECT_EQ(IdentityOf(record), "stripeevt_1");
  for (std::size_t bit = 0; bit < record.size() * 8; ++bit) {
    std::string damaged = record;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_FALSE(Decode(damaged)) << "bit " << bit;
  }
}

TEST(EventCodec, ReadsTheAddressOfAConflict) {
  EXPECT_EQ(ParseConflictAddress(ConflictAddress(12, 0x9f86)),
            std::pair(Sequence{12}, std::uint64_t{0x9f86}));
  for (const char* text :
       {"", "12", "12:", ":000000000000000a", "12:9f86", "x:000000000000000a", "12:00000000000000zz"}) {
    EXPECT_FALSE(ParseConflictAddress(text)) << text;
  }
}

TEST(EventCodec, NoticesEveryCut) {
  const std::string record = Sealed(kEvent, 42, 9);
  for (std::size_t size = 0; size < record.size(); ++size) {
    const auto event = Decode(std::string_view(record).substr(0, size));
    ASSERT_FALSE(event) << "cut to " << size;
    EXPECT_EQ(event.error(), CodecError::kTruncated);
  }
}

TEST(EventCodec, NoticesBytesBehindTheRecord) {
  const auto event = Decode(Sealed(kEvent, 42, 9) + "x");
  ASSERT_FALSE(event);
  EXPECT_EQ(event.error(), CodecError::kChecksum);
}

TEST(EventCodec, NamesAFormatItDoesNotRead) {
  std::string record = Sealed(kEvent, 42, 9);
  record[0] = 3;
  const auto event = Decode(record);
  ASSERT_FALSE(event);
  EXPECT_EQ(event.error(), CodecError::kVersion);
}

TEST(EventCodec, AnUnsealedRecordDoesNotDecode) {
  std::string record(EncodedSize(kEvent), '\0');
  Encode(kEvent, record.data());
  EXPECT_FALSE(Decode(record));
}

}  // namespace
}  // namespace weir::storage
