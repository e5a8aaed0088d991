#include "storage/event_rows.h"

#include <rocksdb/convenience.h>
#include <rocksdb/sst_file_reader.h>

#include <algorithm>
#include <utility>

#include "storage/check.h"
#include "storage/event_codec.h"
#include "storage/keys.h"
#include "storage/memory_shortage.h"

namespace weir::storage {
namespace {

std::optional<std::string> RecordAt(const EventRows& rows, Sequence sequence) {
  if (!rows.Valid() || rows.sequence() != sequence) return std::nullopt;
  return std::string(rows.record());
}

}  // namespace

EventRows::EventRows(const Rocks& rocks, const rocksdb::ReadOptions& read)
    : rows_(rocks.db().NewIterator(read, rocks.family(Family::kEvents))) {}

void EventRows::Seek(Sequence sequence) {
  if (value_ && value_->head_is_whole() && value_->first() <= sequence && sequence <= value_->last()) {
    at_ = sequence;
    return;
  }
  rows_->Seek(ToSlice(SequenceKey(sequence).view()));
  Enter(sequence);
}
void EventRows::SeekToFirst() {
  rows_->SeekToFirst();
  Enter(kNoSequence);
}
void EventRows::SeekToLast() {
  rows_->SeekToLast();
  Enter(kNoSequence);
  if (value_) at_ = value_->last();
}
void EventRows::Next() {
  if (value_ && at_ < value_->last()) {
    ++at_;
    return;
  }
  const Sequence behind = value_ ? value_->last() + 1 : kNoSequence;
  rows_->Next();
  Enter(behind);
}

void EventRows::Enter(Sequence from) {
  value_.reset();
  if (!rows_->Valid()) return;
  const Sequence last = ParseSequenceKey(ToView(rows_->key())).value_or(kNoSequence);
  if (last == kNoSequence) return;
  value_.emplace(ToView(rows_->value()), last, from);
  at_ = std::max(from, value_->first());
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
  EventRows rows(rocks, InOrder());
  rows.Seek(sequence);
  if (auto found = RecordAt(rows, sequence)) return found;
  if (rows.status().ok()) return std::nullopt;
  // One damaged table among the newest ends every walk over all of them, wherever it begins.
  EventRows in_memory = RowsInMemory(rocks);
  in_memory.Seek(sequence);
  if (auto found = RecordAt(in_memory, sequence)) return found;
  const auto table = TableOf(rocks, sequence);
  if (!table) return std::nullopt;
  rocksdb::Options options;
  options.env = rocks.db().GetEnv();
  rocksdb::SstFileReader reader(options);
  if (!reader.Open(table->string()).ok()) return std::unexpected(ErrorFrom(rows.status(), "to read"));
  EventRows in_table(std::unique_ptr<rocksdb::Iterator>(reader.NewIterator(rocksdb::ReadOptions())));
  in_table.Seek(sequence);
  if (auto found = RecordAt(in_table, sequence)) return found;
  if (in_table.status().ok()) return std::nullopt;
  return std::unexpected(ErrorFrom(in_table.status(), "to read"));
}

void EventWriter::Add(Sequence sequence, std::string_view record) {
  if (!head_.Takes(record.size())) Finish();
  if (head_.count() == 0) {
    head_.Begin(sequence);
    parts_.resize(1);
  }
  WEIR_CHECK_EQ(sequence, head_.last() + 1);
  head_.Add(record.size());
  parts_.push_back(ToSlice(record));
}

void EventWriter::Finish() {
  if (head_.count() == 0) return;
  const SequenceKey last(head_.last());
  const rocksdb::Slice key = ToSlice(last.view());
  const std::string head = head_.Encode();
  parts_[0] = ToSlice(head);
  updates_.Put(rocks_.family(Family::kEvents), rocksdb::SliceParts(&key, 1),
               rocksdb::SliceParts(parts_.data(), static_cast<int>(parts_.size())));
  head_.Begin(kNoSequence);
}

std::optional<std::filesystem::path> TableOf(const Rocks& rocks, Sequence sequence) {
  std::vector<rocksdb::LiveFileMetaData> files;
  rocks.db().GetLiveFilesMetaData(&files);
  std::optional<std::filesystem::path> table;
  Sequence last = kNoSequence;  // of `table`
  for (const rocksdb::LiveFileMetaData& file : files) {
    const auto listed = IsOfLog(file) ? ListedSpanOf(file) : std::nullopt;
    if (!listed || listed->last < sequence || (table && last <= listed->last)) continue;
    table = file.db_path + file.name;
    last = listed->last;
  }
  return table;
}

rocksdb::Status DeleteTablesThrough(const Rocks& rocks, Sequence last) {
  const SequenceKey end(last);
  const rocksdb::Slice end_slice = ToSlice(end.view());
  return rocksdb::DeleteFilesInRange(&rocks.db(), rocks.family(Family::kEvents), nullptr, &end_slice);
}

bool IsOfLog(const rocksdb::LiveFileMetaData& table) {
  return table.column_family_name == kFamilyNames[static_cast<std::size_t>(Family::kEvents)];
}

std::optional<EventSpan> ListedSpanOf(const rocksdb::LiveFileMetaData& table) {
  const auto first = ParseSequenceKey(table.smallestkey);
  const auto last = ParseSequenceKey(table.largestkey);
  if (!first || !last) return std::nullopt;
  return EventSpan{.first = *first, .last = *last};
}

std::optional<EventSpan> SpanOfRow(std::string_view key, std::string_view value) {
  const Sequence last = ParseSequenceKey(key).value_or(kNoSequence);
  if (last == kNoSequence) return std::nullopt;
  const EventValue records(value, last, last);
  if (!records.head_is_whole()) return std::nullopt;
  for (Sequence sequence = records.first(); sequence <= last; ++sequence) {
    const auto event = Decode(records.Record(sequence));
    if (!event || event->sequence != sequence) return std::nullopt;
  }
  return EventSpan{.first = records.first(), .last = last};
}

}  // namespace weir::storage
