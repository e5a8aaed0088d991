#include "storage/log_audit.h"

#include <rocksdb/table_properties.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "storage/event_codec.h"

namespace weir::storage {
namespace {

struct Table {
  Sequence first;
  Sequence last;
  std::string name;
};

std::unexpected<StoreError> Lost(std::string what) {
  return std::unexpected(
      StoreError{StoreErrorCode::kDataLoss, std::move(what) + ": restore the store from a backup"});
}

std::unexpected<StoreError> Damaged(Sequence sequence, std::string_view what) {
  return std::unexpected(StoreError{StoreErrorCode::kCorruption, "event " + std::to_string(sequence) +
                                                                     " of the log: " + std::string(what) +
                                                                     ": restore the store from a backup"});
}

std::string Range(Sequence first, Sequence last) {
  return std::to_string(first) + ".." + std::to_string(last);
}

StoreResult<std::vector<Table>> ListTables(Rocks& rocks) {
  std::vector<rocksdb::LiveFileMetaData> files;
  rocks.db().GetLiveFilesMetaData(&files);
  rocksdb::TablePropertiesCollection properties;
  const rocksdb::Status status =
      rocks.db().GetPropertiesOfAllTables(rocks.family(Family::kEvents), &properties);
  if (!status.ok()) return std::unexpected(ErrorFrom(status, "to read the log's tables"));
  std::vector<Table> tables;
  for (const rocksdb::LiveFileMetaData& file : files) {
    if (file.column_family_name != rocks.family(Family::kEvents)->GetName()) continue;
    const auto first = ParseSequenceKey(file.smallestkey);
    const auto last = ParseSequenceKey(file.largestkey);
    if (!first || !last) return Lost("table " + file.name + " of the log has a foreign key");
    const auto found = properties.find(file.db_path + file.name);
    if (found != properties.end() && found->second->num_entries != *last - *first + 1) {
      return Lost("table " + file.name + " holds " + std::to_string(found->second->num_entries) +
                  " of the events " + Range(*first, *last));
    }
    tables.push_back({.first = *first, .last = *last, .name = file.name});
  }
  std::sort(tables.begin(), tables.end(), [](const Table& a, const Table& b) { return a.first < b.first; });
  return tables;
}

}  // namespace

StoreResult<LogEnds> CheckTables(Rocks& rocks, Sequence trimmed_before) {
  const auto tables = ListTables(rocks);
  if (!tables) return std::unexpected(tables.error());
  LogEnds ends{.first = trimmed_before, .last = trimmed_before - 1};
  for (const Table& table : *tables) {
    if (table.last < trimmed_before) continue;
    if (table.first > ends.last + 1) {
      return Lost("events " + Range(ends.last + 1, table.first - 1) + " are missing from the log");
    }
    ends.last = table.last;
  }
  return ends;
}

StoreResult<Sequence> FindNewest(Rocks& rocks) {
  const std::unique_ptr<rocksdb::Iterator> rows(
      rocks.db().NewIterator(rocksdb::ReadOptions(), rocks.family(Family::kEvents)));
  rows->SeekToLast();
  if (!rows->status().ok()) return std::unexpected(ErrorFrom(rows->status(), "to read the log"));
  return rows->Valid() ? ParseSequenceKey(ToView(rows->key())).value_or(kNoSequence) : kNoSequence;
}

StoreResult<void> CheckTail(Rocks& rocks, Sequence after, LogEnds& ends, const VisitRecord& visit) {
  rocksdb::ReadOptions read;
  read.readahead_size = 1u << 20;
  read.fill_cache = false;
  const std::unique_ptr<rocksdb::Iterator> rows(rocks.db().NewIterator(read, rocks.family(Family::kEvents)));
  // One record before those wanted gives the first link of the chain.
  Sequence expected = std::max(std::min(after, ends.last), ends.first);
  bool linked = false;
  for (rows->Seek(ToSlice(SequenceKey(expected).view())); rows->Valid(); rows->Next()) {
    const std::string_view record = ToView(rows->value());
    if (ParseSequenceKey(ToView(rows->key())) != expected)
      return Lost("event " + std::to_string(expected) + " is missing");
    const auto event = Decode(record);
    if (!event) return Damaged(expected, CodecErrorName(event.error()));
    if (event->sequence != expected) return Damaged(expected, "another event is in its place");
    const bool must_link = linked || expected == 1;
    if (must_link && PreviousCheckOf(record) != ends.last_check)
      return Damaged(expected, "it does not follow the one before");
    ends.last_check = CheckOf(record);
    linked = true;
    if (expected > after) visit(*event, record);
    ++expected;
  }
  if (!rows->status().ok()) return std::unexpected(ErrorFrom(rows->status(), "to read the log"));
  if (expected <= ends.last) return Lost("event " + std::to_string(expected) + " is missing");
  if (linked) {
    ends.last = expected - 1;
  } else {
    ends = {};
  }
  return {};
}

}  // namespace weir::storage
