// The rows of `events`: the only place that knows their keys and values.
//
// Internal to storage/.
#pragma once

#include <rocksdb/iterator.h>
#include <rocksdb/metadata.h>
#include <rocksdb/options.h>
#include <rocksdb/write_batch.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "storage/event.h"
#include "storage/rocks.h"

namespace weir::storage {

// The log's records in the order of their sequences, as they are: nothing is decoded.
class EventRows {
 public:
  EventRows(const Rocks& rocks, const rocksdb::ReadOptions& read);
  // Of one table.
  explicit EventRows(std::unique_ptr<rocksdb::Iterator> rows) : rows_(std::move(rows)) {}

  // To `sequence`, or to the first behind it that there is.
  void Seek(Sequence sequence);
  void SeekToFirst();
  void SeekToLast();
  void Next();

  // False at the end, and where the database cannot read on: that says status().
  bool Valid() const { return rows_->Valid(); }
  rocksdb::Status status() const { return rows_->status(); }
  // kNoSequence: the row's key is none of the log's.
  Sequence sequence() const;
  std::string_view record() const;  // until the next move

 private:
  std::unique_ptr<rocksdb::Iterator> rows_;
};

// Once over a large part of the log: reads ahead, and leaves the cache to those who come back.
EventRows ScanRows(const Rocks& rocks);
// What no table has yet, of which no damage of tables takes anything.
EventRows RowsInMemory(const Rocks& rocks);

// The record as it is; nullopt: there is none. An error: the database cannot read where it would be.
StoreResult<std::optional<std::string>> FindRecord(const Rocks& rocks, Sequence sequence);

void PutRecord(rocksdb::WriteBatch& updates, const Rocks& rocks, Sequence sequence, std::string_view record);

// The tables that end at `last` or before it, but for those that are just being merged.
rocksdb::Status DeleteTablesThrough(const Rocks& rocks, Sequence last);

struct EventSpan {
  Sequence first;
  Sequence last;
};
bool IsOfLog(const rocksdb::LiveFileMetaData& table);
// Of a table of the log, by the list of tables; nullopt: one of its keys is none of the log's.
std::optional<EventSpan> SpanOf(const rocksdb::LiveFileMetaData& table);
// Of a row of any family, if it is one of the log's and whole.
std::optional<EventSpan> SpanOfRow(std::string_view key, std::string_view value);

}  // namespace weir::storage
