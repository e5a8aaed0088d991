// The value of a row of `events` <-> the records in it; the grammar stands at the top of event_value.cc.
//
// Records of one commit are stored several to a row: a row costs RocksDB as much as a record of a kilobyte. Where one
// value ends and the next begins depends on what came together, so nobody compares values, only records.
//
// Internal to storage/.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "storage/event.h"
#include "storage/event_codec.h"

namespace weir::storage {

// A value of more than one record is no larger than this.
inline constexpr std::size_t kEventValueBytesMax = 16u << 10;
inline constexpr std::size_t kRecordsPerValueMax = kEventValueBytesMax / kRecordHeaderBytes;

// What stands in front of a value's records.
class ValueHead {
 public:
  ValueHead() { ends_.reserve(kRecordsPerValueMax); }

  void Begin(Sequence first) {
    first_ = first;
    ends_.clear();
  }
  std::size_t count() const { return ends_.size(); }
  Sequence last() const { return first_ + ends_.size() - 1; }
  // Whether it is still one value with this record behind the others; a first one always is.
  bool Takes(std::size_t record_bytes) const;
  void Add(std::size_t record_bytes);
  std::string Encode() const;

 private:
  Sequence first_ = kNoSequence;
  std::vector<std::uint32_t> ends_;
};

class EventValue {
 public:
  // Of the row of `last`; the views are of `value`. Where the head is damaged, its records are looked for by their own
  // headers: of `from` to `last`, as far as one value reaches, all are there, with their records or without.
  EventValue(std::string_view value, Sequence last, Sequence from);

  bool head_is_whole() const { return found_.empty(); }
  Sequence first() const { return first_; }
  Sequence last() const { return last_; }
  // As it is; empty where nothing in the value is proven to be that record.
  std::string_view Record(Sequence sequence) const;

 private:
  bool ReadHead(std::string_view value);
  void FindRecords(std::string_view value, Sequence from);

  Sequence first_ = kNoSequence;
  Sequence last_;
  std::string_view ends_;     // as they stand in the head
  std::string_view records_;  // behind it
  std::vector<std::string_view> found_;  // under a damaged head, from first_ on
};

}  // namespace weir::storage
