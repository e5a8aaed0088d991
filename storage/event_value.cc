// The value of a row of `events`. The row's key is the sequence of its last record. Integers are little endian.
//
//   value := head record…                                       (record: event_codec.cc)
//   head  := first:u64 count:u32 end:u32{count} check:u64
//   end   := where a record ends, from the end of the head on; the last one is the end of the value
//   check := XXH3-64 of the head in front of it
//
// The records are of one commit and of consecutive sequences, `first` to the key. The head is there to find one of them
// without a look at the others; what a record is stands in the record, and is checked there.
#include "storage/event_value.h"

#include <xxhash.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "storage/bytes.h"
#include "storage/check.h"

namespace weir::storage {
namespace {

constexpr std::size_t kCountAt = 8;
constexpr std::size_t kEndsAt = 12;
constexpr std::size_t kEndBytes = sizeof(std::uint32_t);
constexpr std::size_t kCheckBytes = 8;

std::size_t HeadBytes(std::size_t count) {
  return kEndsAt + count * kEndBytes + kCheckBytes;
}

std::uint64_t CheckOfHead(std::string_view head) {
  return XXH3_64bits(head.data(), head.size() - kCheckBytes);
}

std::uint32_t EndAt(std::string_view ends, std::uint64_t index) {
  return LoadLittle<std::uint32_t>(ends.data() + index * kEndBytes);
}

struct Place {
  Sequence sequence;
  std::size_t at;
  std::string_view record;
};

std::vector<Place> PlacesIn(std::string_view value, Sequence lowest, Sequence last) {
  std::vector<Place> places;
  for (std::size_t at = 0; at + kRecordHeaderBytes <= value.size();) {
    const auto sequence = SealedSequence(value.substr(at, kRecordHeaderBytes));
    const std::size_t bytes = sequence ? RecordSize(value.data() + at) : 0;
    if (!sequence || *sequence < lowest || *sequence > last || bytes > value.size() - at) {
      ++at;
      continue;
    }
    places.push_back({.sequence = *sequence, .at = at, .record = value.substr(at, bytes)});
    at += bytes;
  }
  return places;
}

bool Joins(const Place& earlier, const Place& later) {
  return earlier.sequence + 1 == later.sequence && CheckOf(earlier.record) == PreviousCheckOf(later.record);
}

}  // namespace

bool ValueHead::Takes(std::size_t record_bytes) const {
  return ends_.empty() || HeadBytes(ends_.size() + 1) + ends_.back() + record_bytes <= kEventValueBytesMax;
}

void ValueHead::Add(std::size_t record_bytes) {
  WEIR_CHECK(Takes(record_bytes));
  WEIR_CHECK_LE(record_bytes, kRecordBytesMax);
  ends_.push_back((ends_.empty() ? 0 : ends_.back()) + static_cast<std::uint32_t>(record_bytes));
}

std::string ValueHead::Encode() const {
  std::string head;
  head.reserve(HeadBytes(ends_.size()));
  AppendLittle(head, first_);
  AppendLittle(head, static_cast<std::uint32_t>(ends_.size()));
  for (const std::uint32_t end : ends_) AppendLittle(head, end);
  head.resize(head.size() + kCheckBytes);
  StoreLittle(head.data() + head.size() - kCheckBytes, CheckOfHead(head));
  return head;
}

EventValue::EventValue(std::string_view value, Sequence last, Sequence from) : last_(last) {
  WEIR_CHECK_LE(from, last);
  if (!ReadHead(value)) FindRecords(value, from);
}

bool EventValue::ReadHead(std::string_view value) {
  if (value.size() < HeadBytes(1)) return false;
  const auto first = LoadLittle<std::uint64_t>(value.data());
  const std::size_t count = LoadLittle<std::uint32_t>(value.data() + kCountAt);
  if (first == kNoSequence || count == 0 || HeadBytes(count) > value.size() || first + count - 1 != last_)
    return false;
  const std::string_view head = value.substr(0, HeadBytes(count));
  if (LoadLittle<std::uint64_t>(head.data() + head.size() - kCheckBytes) != CheckOfHead(head)) return false;
  ends_ = head.substr(kEndsAt, count * kEndBytes);
  if (head.size() + EndAt(ends_, count - 1) != value.size()) return false;
  first_ = first;
  records_ = value.substr(head.size());
  return true;
}

// A body may hold bytes that are a record. What is one follows a neighbour, or is the first where the first must be.
void EventValue::FindRecords(std::string_view value, Sequence from) {
  const Sequence lowest = last_ - std::min<Sequence>(last_ - 1, kRecordsPerValueMax - 1);
  first_ = std::max(from, lowest);
  found_.resize(last_ - first_ + 1);
  const std::vector<Place> places = PlacesIn(value, lowest, last_);
  for (std::size_t i = 0; i < places.size(); ++i) {
    const Place& place = places[i];
    const bool proven = place.at == HeadBytes(last_ - place.sequence + 1) ||
                        (i > 0 && Joins(places[i - 1], place)) ||
                        (i + 1 < places.size() && Joins(place, places[i + 1]));
    if (proven && place.sequence >= first_) found_[place.sequence - first_] = place.record;
  }
}

std::string_view EventValue::Record(Sequence sequence) const {
  WEIR_CHECK_GE(sequence, first_);
  WEIR_CHECK_LE(sequence, last_);
  const std::uint64_t index = sequence - first_;
  if (!head_is_whole()) return found_[index];
  const std::uint32_t begin = index == 0 ? 0 : EndAt(ends_, index - 1);
  return records_.substr(begin, EndAt(ends_, index) - begin);
}

}  // namespace weir::storage
