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
#include "storage/event_rows.h"
#include "storage/log_scan.h"
#include "storage/table_check.h"
#include "storage/table_span.h"

namespace weir::storage {
namespace {

struct Table {
  EventSpan listed;
  std::optional<TableSpan> span;  // as the table has it; nullopt: that is damaged
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

// What the table says of itself; nullopt where that is damaged.
StoreResult<std::optional<TableSpan>> ReadSpan(Rocks& rocks, const rocksdb::LiveFileMetaData& file) {
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
  return SpanOf(*table->second);
}

StoreResult<std::vector<Table>> ListTables(Rocks& rocks, const TellDamage& damaged) {
  std::vector<rocksdb::LiveFileMetaData> files;
  rocks.db().GetLiveFilesMetaData(&files);
  std::vector<Table> tables;
  for (const rocksdb::LiveFileMetaData& file : files) {
    if (!IsOfLog(file)) continue;
    const auto listed = ListedSpanOf(file);
    if (!listed) return std::unexpected(Lost("table " + file.name + " of the log has a foreign key"));
    const auto span = ReadSpan(rocks, file);
    if (!span) return std::unexpected(span.error());
    if (!*span) damaged("table " + file.name + " of the events " + Range(listed->first, listed->last));
    tables.push_back({.listed = *listed, .span = *span, .name = file.name});
  }
  std::ranges::sort(tables, {}, [](const Table& table) { return table.listed.first; });
  return tables;
}

// The list of tables names the end of a table's first row, and how far a row reaches back is bounded.
Sequence FirstOf(const Table& table, Sequence expected) {
  if (table.span) return table.span->first;
  const Sequence listed = table.listed.first;
  return std::max(expected, listed - std::min<Sequence>(listed - 1, kRecordsPerValueMax - 1));
}

bool BreaksChain(const Table& table, const Table& before, const Holes& holes) {
  if (!table.span || !before.span || before.span->last + 1 != table.span->first) return false;
  if (holes.Contains(before.span->last) || holes.Contains(table.span->first)) return false;
  return table.span->previous_check != before.span->last_check;
}

// A table has fewer events than its ends say: finds which.
StoreResult<void> FindMissing(Rocks& rocks, const Table& table, const Holes& holes, const OnLoss& on_loss) {
  EventRows rows = ScanRows(rocks);
  Sequence expected = holes.NextOutside(table.span->first);
  for (rows.Seek(expected); rows.Valid() && expected <= table.listed.last; rows.Next()) {
    const Sequence sequence = rows.sequence();
    if (sequence > expected) {
      auto lost = on_loss({.first = expected, .last = sequence - 1},
                          Lost("events " + Range(expected, sequence - 1) +
                               " are missing from the log, from table " + table.name));
      if (!lost) return lost;
    }
    expected = holes.NextOutside(sequence + 1);
  }
  if (!rows.status().ok()) return std::unexpected(ErrorFrom(rows.status(), "to read the log"));
  return {};
}

}  // namespace

StoreResult<LogEnds> CheckTables(Rocks& rocks, Sequence trimmed_before, const Holes& holes,
                                 const OnLoss& on_loss, const TellDamage& damaged) {
  const auto tables = ListTables(rocks, damaged);
  if (!tables) return std::unexpected(tables.error());
  LogEnds ends{.first = trimmed_before, .last = trimmed_before - 1};
  const Table* before = nullptr;
  for (const Table& table : *tables) {
    const Sequence last = table.listed.last;
    if (last < trimmed_before) continue;
    const Sequence expected = ends.last + 1;
    const Sequence first = FirstOf(table, expected);
    if (first > expected && holes.CountWithin(expected, first - 1) < first - expected) {
      auto lost = on_loss({.first = expected, .last = first - 1},
                          Lost("events " + Range(expected, first - 1) + " are missing from the log"));
      if (!lost) return std::unexpected(lost.error());
    }
    if (table.span && table.span->records + holes.CountWithin(first, last) < last - first + 1) {
      if (auto found = FindMissing(rocks, table, holes, on_loss); !found)
        return std::unexpected(found.error());
    }
    if (before != nullptr && BreaksChain(table, *before, holes))
      damaged("the chain from table " + before->name + " to table " + table.name);
    before = &table;
    ends.last = std::max(ends.last, last);
  }
  return ends;
}

LogEnds FindEnds(Rocks& rocks) {
  LogEnds ends;
  std::vector<rocksdb::LiveFileMetaData> files;
  rocks.db().GetLiveFilesMetaData(&files);
  for (const rocksdb::LiveFileMetaData& file : files) {
    const auto listed = IsOfLog(file) ? ListedSpanOf(file) : std::nullopt;
    if (!listed) continue;
    const Sequence first = FirstOf({.listed = *listed, .span = std::nullopt, .name = file.name}, 1);
    ends.first = ends.first == kNoSequence ? first : std::min(ends.first, first);
    ends.last = std::max(ends.last, listed->last);
  }
  EventRows rows(rocks, InOrder());
  rows.SeekToFirst();
  if (rows.Valid()) ends.first = rows.sequence();
  return ends;
}

StoreResult<Sequence> FindNewest(Rocks& rocks, const LogEnds& tables) {
  EventRows rows(rocks, InOrder());
  rows.SeekToLast();
  if (rows.Valid()) return rows.sequence();
  if (rows.status().ok()) return kNoSequence;
  if (!rows.status().IsCorruption()) return std::unexpected(ErrorFrom(rows.status(), "to read the log"));
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
