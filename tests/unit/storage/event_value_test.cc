#include "storage/event_value.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace weir::storage {
namespace {

constexpr Sequence kFirst = 41;

std::string Sealed(Sequence sequence, std::uint64_t previous, std::string_view body) {
  Event event;
  event.source = "shop";
  event.id = "evt";
  event.body = body;
  std::string record(EncodedSize(event), '\0');
  Encode(event, record.data());
  Seal(record.data(), record.size(), sequence, previous);
  return record;
}

// A chain from kFirst on.
std::vector<std::string> Records(std::size_t count, std::size_t body_bytes = 100) {
  std::vector<std::string> records;
  std::uint64_t previous = 7;
  for (std::size_t i = 0; i < count; ++i) {
    records.push_back(Sealed(kFirst + i, previous, std::string(body_bytes, 'x')));
    previous = CheckOf(records.back());
  }
  return records;
}

std::string ValueOf(const std::vector<std::string>& records) {
  ValueHead head;
  head.Begin(kFirst);
  std::string behind;
  for (const std::string& record : records) {
    head.Add(record.size());
    behind += record;
  }
  return head.Encode() + behind;
}

Sequence LastOf(const std::vector<std::string>& records) {
  return kFirst + records.size() - 1;
}

TEST(EventValue, GivesBackEachRecord) {
  const auto records = Records(5);
  const std::string bytes = ValueOf(records);
  const EventValue value(bytes, LastOf(records), 1);
  ASSERT_TRUE(value.head_is_whole());
  EXPECT_EQ(value.first(), kFirst);
  EXPECT_EQ(value.last(), LastOf(records));
  for (std::size_t i = 0; i < records.size(); ++i) EXPECT_EQ(value.Record(kFirst + i), records[i]);
}

TEST(EventValue, TakesRecordsUpToItsLimit) {
  const auto records = Records(100, 1000);
  ValueHead head;
  head.Begin(kFirst);
  std::size_t bytes = 0;
  for (const std::string& record : records) {
    if (!head.Takes(record.size())) break;
    head.Add(record.size());
    bytes += record.size();
  }
  EXPECT_LE(head.Encode().size() + bytes, kEventValueBytesMax);
  EXPECT_GT(head.Encode().size() + bytes + records[0].size(), kEventValueBytesMax);
}

TEST(EventValue, TakesOneRecordOfAnySize) {
  const auto records = Records(1, 10 * kEventValueBytesMax);
  const std::string bytes = ValueOf(records);
  EXPECT_EQ(EventValue(bytes, kFirst, 1).Record(kFirst), records[0]);
}

TEST(EventValue, HoldsNoMoreRecordsThanItsLimitSays) {
  ValueHead head;
  head.Begin(1);
  while (head.Takes(kRecordHeaderBytes)) head.Add(kRecordHeaderBytes);
  EXPECT_LE(head.count(), kRecordsPerValueMax);
}

TEST(EventValue, UnderAnothersKeyHasADamagedHead) {
  const auto records = Records(3);
  const std::string bytes = ValueOf(records);
  EXPECT_FALSE(EventValue(bytes, LastOf(records) + 1, 1).head_is_whole());
}

TEST(EventValue, FindsEveryRecordBehindADamagedHeadWhicheverByteOfItChanged) {
  const auto records = Records(5);
  const std::string sound = ValueOf(records);
  const std::size_t head_bytes = sound.find(records[0]);
  for (std::size_t at = 0; at < head_bytes; ++at) {
    SCOPED_TRACE(at);
    std::string bytes = sound;
    bytes[at] = static_cast<char>(bytes[at] ^ 0x20);
    const EventValue value(bytes, LastOf(records), kFirst);
    ASSERT_FALSE(value.head_is_whole());
    for (std::size_t i = 0; i < records.size(); ++i) EXPECT_EQ(value.Record(kFirst + i), records[i]);
  }
}

TEST(EventValue, FindsItsOnlyRecordBehindADamagedHead) {
  const auto records = Records(1);
  std::string bytes = ValueOf(records);
  bytes[0] = '!';
  EXPECT_EQ(EventValue(bytes, kFirst, kFirst).Record(kFirst), records[0]);
}

TEST(EventValue, WithADamagedHeadLacksTheRecordWhoseOwnHeaderIsDamagedAndNoOther) {
  const auto records = Records(5);
  std::string bytes = ValueOf(records);
  bytes[0] = '!';
  bytes[bytes.find(records[2]) + 20] ^= 1;
  const EventValue value(bytes, LastOf(records), kFirst);
  for (std::size_t i = 0; i < records.size(); ++i)
    EXPECT_EQ(value.Record(kFirst + i), i == 2 ? "" : records[i]) << i;
}

TEST(EventValue, TakesARecordInABodyForNone) {
  const std::string forged = Sealed(kFirst + 1, 12345, "forged");
  std::vector<std::string> records = {Sealed(kFirst, 7, "in front " + forged + " behind")};
  records.push_back(Sealed(kFirst + 1, CheckOf(records[0]), "second"));
  std::string bytes = ValueOf(records);
  bytes[0] = '!';
  bytes[bytes.find(records[0]) + 20] ^= 1;
  bytes[bytes.find(records[1]) + 20] ^= 1;
  EXPECT_EQ(EventValue(bytes, LastOf(records), kFirst).Record(kFirst + 1), "");
}

TEST(EventValue, OfBytesThatAreNoneHasNoRecords) {
  const EventValue value("nonsense", 300, 100);
  EXPECT_FALSE(value.head_is_whole());
  for (Sequence sequence = value.first(); sequence <= 300; ++sequence) EXPECT_EQ(value.Record(sequence), "");
}

}  // namespace
}  // namespace weir::storage
