#include "storage/event_rows.h"

#include <rocksdb/convenience.h>

#include <utility>

#include "storage/event_codec.h"
#include "storage/keys.h"
#include "storage/memory_shortage.h"

namespace weir::storage {

EventRows::EventRows(const Rocks& rocks, const rocksdb::ReadOptions& read)
    : rows_(rocks.db().NewIterator(read, rocks.family(Family::kEvents))) {}

void EventRows::Seek(Sequence sequence) {
  rows_->Seek(ToSlice(SequenceKey(sequence).view()));
}
void EventRows::SeekToFirst() {
  rows_->SeekToFirst();
}
void EventRows::SeekToLast() {
  rows_->SeekToLast();
}
void EventRows::Next() {
  rows_->Next();
}

Sequence EventRows::sequence() const {
  return ParseSequenceKey(ToView(rows_->key())).value_or(kNoSequence);
}
std::string_view EventRows::record() const {
  return ToView(rows_->value());
}

EventRows ScanRows(const Rocks& rocks) {
  rocksdb::ReadOptions read = InOrder();
  read.readahead_size = 1u << 20;
  read.fill_cache = false;
  return {rocks, read};
}

EventRows RowsInMemory(const Rocks& rocks) {
  rocksdb::ReadOptions read;
  read.read_tier = rocksdb::kMemtableTier;
  return {rocks, read};
}

StoreResult<std::optional<std::string>> FindRecord(const Rocks& rocks, Sequence sequence) {
  const MustHaveMemory here;
  return rocks.Get(Family::kEvents, SequenceKey(sequence).view());
}

void PutRecord(rocksdb::WriteBatch& updates, const Rocks& rocks, Sequence sequence, std::string_view record) {
  updates.Put(rocks.family(Family::kEvents), ToSlice(SequenceKey(sequence).view()), ToSlice(record));
}

rocksdb::Status DeleteTablesThrough(const Rocks& rocks, Sequence last) {
  const SequenceKey end(last);
  const rocksdb::Slice end_slice = ToSlice(end.view());
  return rocksdb::DeleteFilesInRange(&rocks.db(), rocks.family(Family::kEvents), nullptr, &end_slice);
}

bool IsOfLog(const rocksdb::LiveFileMetaData& table) {
  return table.column_family_name == kFamilyNames[static_cast<std::size_t>(Family::kEvents)];
}

std::optional<EventSpan> SpanOf(const rocksdb::LiveFileMetaData& table) {
  const auto first = ParseSequenceKey(table.smallestkey);
  const auto last = ParseSequenceKey(table.largestkey);
  if (!first || !last) return std::nullopt;
  return EventSpan{.first = *first, .last = *last};
}

std::optional<EventSpan> SpanOfRow(std::string_view key, std::string_view value) {
  const auto sequence = ParseSequenceKey(key);
  if (!sequence) return std::nullopt;
  const auto event = Decode(value);
  if (!event || event->sequence != *sequence) return std::nullopt;
  return EventSpan{.first = *sequence, .last = *sequence};
}

}  // namespace weir::storage
