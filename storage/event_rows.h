// The rows of `events`: the only place that knows their keys and values.
//
// Internal to storage/.
#pragma once

#include <rocksdb/iterator.h>
#include <rocksdb/metadata.h>
#include <rocksdb/options.h>
#include <rocksdb/write_batch.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/event.h"
#include "storage/event_value.h"
#include "storage/rocks.h"

namespace weir::storage {

struct EventSpan {
  Sequence first;
  Sequence last;
};

// The log's records in the order of their sequences, as they are: nothing is decoded.
class EventRows {
 public:
  EventRows(const Rocks& rocks, const rocksdb::ReadOptions& read);
  // Of one table.
  explicit EventRows(std::unique_ptr<rocksdb::Iterator> rows) : rows_(std::move(rows)) {}

  // To `sequence`, or to the first behind it that there is. Does not leave a row that holds it.
  void Seek(Sequence sequence);
  void SeekToFirst();
  void SeekToLast();
  void Next();

  // False at the end, and where the database cannot read on: that says status().
  bool Valid() const { return rows_->Valid(); }
  rocksdb::Status status() const { return rows_->status(); }
  // kNoSequence: the row's key is none of the log's.
  Sequence sequence() const { return value_ ? at_ : kNoSequence; }
  // As it is, until the next move; empty where the row is damaged and does not give it.
  std::string_view record() const { return value_ ? value_->Record(at_) : std::string_view(); }

 private:
  // Of the row that has been come to, the first record from `from` on.
  void Enter(Sequence from);

  std::unique_ptr<rocksdb::Iterator> rows_;
  std::optional<EventValue>
      value_;  // of the row; nullopt where there is none or its key is none of the log's
  Sequence at_ = kNoSequence;
};

// Once over a large part of the log: reads ahead, and leaves the cache to those who come back.
EventRows ScanRows(const Rocks& rocks);
// What no table has yet, of which no damage of tables takes anything.
EventRows RowsInMemory(const Rocks& rocks);

// The record as it is; nullopt: there is none. An error: the database cannot read where it would be.
StoreResult<std::optional<std::string>> FindRecord(const Rocks& rocks, Sequence sequence);

// Puts the records of one commit into a batch, as few rows as hold them. Each record stays where it is, and as it is,
// until Finish.
class EventWriter {
 public:
  EventWriter(const Rocks& rocks, rocksdb::WriteBatch& updates) : rocks_(rocks), updates_(updates) {}

  // `sequence` follows the one before.
  void Add(Sequence sequence, std::string_view record);
  void Finish();

 private:
  const Rocks& rocks_;
  rocksdb::WriteBatch& updates_;
  ValueHead head_;
  std::vector<rocksdb::Slice> parts_;  // room for the head, then the records of the row to come
};

// The table that holds `sequence`, if any does.
std::optional<std::filesystem::path> TableOf(const Rocks& rocks, Sequence sequence);
// The tables that end at `last` or before it, but for those that are just being merged.
rocksdb::Status DeleteTablesThrough(const Rocks& rocks, Sequence last);

bool IsOfLog(const rocksdb::LiveFileMetaData& table);
// Of a table of the log, by the list of tables, which names the last event of its first row instead of the first;
// nullopt: one of its keys is none of the log's.
std::optional<EventSpan> ListedSpanOf(const rocksdb::LiveFileMetaData& table);
// Of a row of any family, if it is one of the log's and whole.
std::optional<EventSpan> SpanOfRow(std::string_view key, std::string_view value);

}  // namespace weir::storage
