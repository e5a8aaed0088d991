#include "storage/log_audit.h"

#include <rocksdb/table_properties.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include "storage/event_codec.h"
#include "storage/log_scan.h"
#include "storage/table_check.h"

namespace weir::storage {
namespace {

struct Table {
  Sequence first;
  Sequence last;
  std::uint64_t entries;
  std::string name;
};

StoreError Lost(std::string what) {
  return {StoreErrorCode::kDataLoss, std::move(what)};
}

StoreError Damaged(Sequence sequence, std::string_view what) {
  return {StoreErrorCode::kCorruption,
          "event " + std::to_string(sequence) + " of the log: " + std::string(what)};
}

std::string Range(Sequence first, Sequence last) {
  return std::to_string(first) + ".." + std::to_string(last);
}

// How many entries the table says it has; nullopt where that is damaged.
StoreResult<std::optional<std::uint64_t>> EntriesOf(Rocks& rocks, const rocksdb::LiveFileMetaData& file) {
  const auto found = rocks.disk().Look(file.db_path + file.name);
  if (!found || !*found || (*found)->bytes != file.size)
    return std::unexpected(Lost("table " + file.name + " of the log is missing or cut short"));
  rocksdb::TablePropertiesCollection properties;
  const rocksdb::Range range(file.smallestkey, file.largestkey);
  const rocksdb::Status status =
      rocks.db().GetPropertiesOfTablesInRange(rocks.family(Family::kEvents), &range, 1, &properties);
  if (!status.ok() && !status.IsCorruption())
    return std::unexpected(ErrorFrom(status, "to read the log's tables"));
  const auto table = properties.find(file.db_path + file.name);
  if (!status.ok() || table == properties.end()) return std::nullopt;
  if (const auto made_under = MadeUnder(*table->second); made_under != 0 && made_under != file.file_number) {
    return std::unexpected(
        StoreError{StoreErrorCode::kCorruption,
                   "table " + file.name + " of the log is a copy of table " + std::to_string(made_under)});
  }
  return table->second->num_entries;
}

StoreResult<std::vector<Table>> ListTables(Rocks& rocks, const TellDamage& damaged) {
  std::vector<rocksdb::LiveFileMetaData> files;
  rocks.db().GetLiveFilesMetaData(&files);
  std::vector<Table> tables;
  for (const rocksdb::LiveFileMetaData& file : files) {
    if (file.column_family_name != rocks.family(Family::kEvents)->GetName()) continue;
    const auto first = ParseSequenceKey(file.smallestkey);
    const auto last = ParseSequenceKey(file.largestkey);
    if (!first || !last) return std::unexpected(Lost("table " + file.name + " of the log has a foreign key"));
    const auto entries = EntriesOf(rocks, file);
    if (!entries) return std::unexpected(entries.error());
    if (!*entries) damaged("table " + file.name + " of the events " + Range(*first, *last));
    tables.push_back({.first = *first,
                      .last = *last,
                      .entries = entries->value_or(*last - *first + 1),
                      .name = file.name});
  }
  std::sort(tables.begin(), tables.end(), [](const Table& a, const Table& b) { return a.first < b.first; });
  return tables;
}

std::unique_ptr<rocksdb::Iterator> Scan(Rocks& rocks) {
  rocksdb::ReadOptions read = InOrder();
  read.readahead_size = 1u << 20;
  read.fill_cache = false;
  return std::unique_ptr<rocksdb::Iterator>(rocks.db().NewIterator(read, rocks.family(Family::kEvents)));
}

// A table has fewer events than its ends say: finds which.
StoreResult<void> FindMissing(Rocks& rocks, const Table& table, const Holes& holes, const OnLoss& on_loss) {
  const auto rows = Scan(rocks);
  Sequence expected = holes.NextOutside(table.first);
  for (rows->Seek(ToSlice(SequenceKey(expected).view())); rows->Valid() && expected <= table.last;
       rows->Next()) {
    const Sequence sequence = ParseSequenceKey(ToView(rows->key())).value_or(kNoSequence);
    if (sequence > expected) {
      auto lost = on_loss({.first = expected, .last = sequence - 1},
                          Lost("events " + Range(expected, sequence - 1) +
                               " are missing from the log, from table " + table.name));
      if (!lost) return lost;
    }
    expected = holes.NextOutside(sequence + 1);
  }
  if (!rows->status().ok()) return std::unexpected(ErrorFrom(rows->status(), "to read the log"));
  return {};
}

}  // namespace

StoreResult<LogEnds> CheckTables(Rocks& rocks, Sequence trimmed_before, const Holes& holes,
                                 const OnLoss& on_loss, const TellDamage& damaged) {
  const auto tables = ListTables(rocks, damaged);
  if (!tables) return std::unexpected(tables.error());
  LogEnds ends{.first = trimmed_before, .last = trimmed_before - 1};
  for (const Table& table : *tables) {
    if (table.last < trimmed_before) continue;
    const Sequence expected = ends.last + 1;
    if (table.first > expected && holes.CountWithin(expected, table.first - 1) < table.first - expected) {
      auto lost = on_loss({.first = expected, .last = table.first - 1},
                          Lost("events " + Range(expected, table.first - 1) + " are missing from the log"));
      if (!lost) return std::unexpected(lost.error());
    }
    if (table.entries + holes.CountWithin(table.first, table.last) < table.last - table.first + 1) {
      if (auto found = FindMissing(rocks, table, holes, on_loss); !found)
        return std::unexpected(found.error());
    }
    ends.last = std::max(ends.last, table.last);
  }
  return ends;
}

LogEnds FindEnds(Rocks& rocks) {
  LogEnds ends;
  const auto include = [&ends](Sequence first) {
    if (ends.first == kNoSequence || first < ends.first) ends.first = first;
  };
  std::vector<rocksdb::LiveFileMetaData> files;
  rocks.db().GetLiveFilesMetaData(&files);
  for (const rocksdb::LiveFileMetaData& file : files) {
    if (file.column_family_name != rocks.family(Family::kEvents)->GetName()) continue;
    include(ParseSequenceKey(file.smallestkey).value_or(kNoSequence));
    ends.last = std::max(ends.last, ParseSequenceKey(file.largestkey).value_or(kNoSequence));
  }
  const std::unique_ptr<rocksdb::Iterator> rows(
      rocks.db().NewIterator(InOrder(), rocks.family(Family::kEvents)));
  rows->SeekToFirst();
  if (rows->Valid()) include(ParseSequenceKey(ToView(rows->key())).value_or(kNoSequence));
  return ends;
}

StoreResult<Sequence> FindNewest(Rocks& rocks, const LogEnds& tables) {
  const std::unique_ptr<rocksdb::Iterator> rows(
      rocks.db().NewIterator(InOrder(), rocks.family(Family::kEvents)));
  rows->SeekToLast();
  if (rows->Valid()) return ParseSequenceKey(ToView(rows->key())).value_or(kNoSequence);
  if (rows->status().ok()) return kNoSequence;
  if (!rows->status().IsCorruption()) return std::unexpected(ErrorFrom(rows->status(), "to read the log"));
  return std::max(NewestInMemory(rocks), tables.last);
}

StoreResult<void> CheckTail(Rocks& rocks, Salvage& salvage, Sequence after, const Holes& holes, LogEnds& ends,
                            const OnLoss& on_loss, const VisitRecord& visit, const TellDamage& damaged) {
  using State = ScannedRecord::State;
  // One record before those wanted gives the first link of the chain.
  const Sequence first = std::max(holes.PreviousOutside(std::min(after, ends.last)), ends.first);
  LogScan scan(rocks, salvage, holes, first, ends.last);
  bool linked = false;
  Sequence newest = kNoSequence;
  while (true) {
    const auto next = scan.Next();
    if (!next && next.error().code == StoreErrorCode::kDataLoss) {
      const Sequence missing = next.error().sequence;
      const Sequence behind = scan.GoOnBehind(missing);
      const Sequence last = behind == kNoSequence ? ends.last : behind - 1;
      linked = false;
      auto lost =
          on_loss({.first = missing, .last = last}, Lost("events " + Range(missing, last) + " are missing"));
      if (!lost) return lost;
      if (behind == kNoSequence) break;
      continue;
    }
    if (!next) return std::unexpected(next.error());
    if (!*next) break;
    const auto& [sequence, record, state] = **next;
    if (sequence != newest + 1) linked = false;
    newest = sequence;
    if (state != State::kWhole && state != State::kAltered) damaged("event " + std::to_string(sequence));
    if (state == State::kUnreadable) {
      linked = false;
      continue;
    }
    std::string_view damage;
    if (state == State::kAltered) {
      const auto event = Decode(record);
      damage = event ? "another event is in its place" : CodecErrorName(event.error());
    } else if ((linked || sequence == 1) && PreviousCheckOf(record) != ends.last_check) {
      damage = "it does not follow the one before";
    }
    if (!damage.empty()) {
      linked = false;
      auto lost = on_loss({.first = sequence, .last = sequence}, Damaged(sequence, damage));
      if (!lost) return lost;
      continue;
    }
    ends.last_check = CheckOf(record);
    linked = true;
    if (sequence > after) {
      if (auto visited = visit(Peek(record.data(), record.size()), record); !visited) return visited;
    }
  }
  if (newest == kNoSequence) {
    ends = {};
  } else {
    ends.last = newest;
  }
  return {};
}

}  // namespace weir::storage
