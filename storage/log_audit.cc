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
    if (!first || !last) return std::unexpected(Lost("table " + file.name + " of the log has a foreign key"));
    const auto found = properties.find(file.db_path + file.name);
    const std::uint64_t entries = found == properties.end() ? *last - *first + 1 : found->second->num_entries;
    tables.push_back({.first = *first, .last = *last, .entries = entries, .name = file.name});
  }
  std::sort(tables.begin(), tables.end(), [](const Table& a, const Table& b) { return a.first < b.first; });
  return tables;
}

std::unique_ptr<rocksdb::Iterator> Scan(Rocks& rocks) {
  rocksdb::ReadOptions read;
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

// Moves `rows`, which met something unreadable at `sequence`, to the first event behind it that can be read.
// False: there is none up to `last`.
bool SeekBehindDamage(rocksdb::Iterator& rows, Sequence sequence, Sequence last) {
  const auto readable_at = [&](Sequence at) {
    rows.Seek(ToSlice(SequenceKey(at).view()));
    return rows.Valid();
  };
  Sequence unreadable = sequence;
  Sequence step = 1;
  while (!readable_at(unreadable + step)) {
    if (rows.status().ok() || unreadable + step > last) return false;
    unreadable += step;
    step *= 2;
  }
  Sequence readable = unreadable + step;
  while (readable - unreadable > 1) {
    const Sequence middle = unreadable + (readable - unreadable) / 2;
    (readable_at(middle) ? readable : unreadable) = middle;
  }
  return readable_at(readable);
}

}  // namespace

StoreResult<LogEnds> CheckTables(Rocks& rocks, Sequence trimmed_before, const Holes& holes,
                                 const OnLoss& on_loss) {
  const auto tables = ListTables(rocks);
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

StoreResult<Sequence> FindNewest(Rocks& rocks) {
  const std::unique_ptr<rocksdb::Iterator> rows(
      rocks.db().NewIterator(rocksdb::ReadOptions(), rocks.family(Family::kEvents)));
  rows->SeekToLast();
  if (!rows->status().ok()) return std::unexpected(ErrorFrom(rows->status(), "to read the log"));
  return rows->Valid() ? ParseSequenceKey(ToView(rows->key())).value_or(kNoSequence) : kNoSequence;
}

StoreResult<void> CheckTail(Rocks& rocks, Sequence after, const Holes& holes, LogEnds& ends,
                            const OnLoss& on_loss, const VisitRecord& visit) {
  const auto rows = Scan(rocks);
  // One record before those wanted gives the first link of the chain.
  Sequence expected = std::max(holes.PreviousOutside(std::min(after, ends.last)), ends.first);
  Sequence newest = kNoSequence;
  bool linked = false;
  const auto lose = [&](Sequence last, StoreError refusal) {
    linked = false;
    const Hole lost{.first = expected, .last = last};
    expected = last + 1;
    return on_loss(lost, std::move(refusal));
  };
  rows->Seek(ToSlice(SequenceKey(expected).view()));
  while (true) {
    if (!rows->Valid()) {
      if (rows->status().ok()) break;
      StoreError refusal =
          ErrorFrom(rows->status(), "to read the log behind event " + std::to_string(expected - 1));
      if (refusal.code != StoreErrorCode::kCorruption) return std::unexpected(std::move(refusal));
      const Sequence next = SeekBehindDamage(*rows, expected, ends.last)
                                ? ParseSequenceKey(ToView(rows->key())).value_or(expected + 1)
                                : std::max(expected, ends.last) + 1;
      if (auto lost = lose(next - 1, std::move(refusal)); !lost) return lost;
      if (!rows->Valid()) break;
      continue;
    }
    const std::string_view record = ToView(rows->value());
    const Sequence sequence = ParseSequenceKey(ToView(rows->key())).value_or(kNoSequence);
    if (expected != holes.NextOutside(expected)) {
      expected = holes.NextOutside(expected);
      linked = false;
    }
    if (sequence > expected) {
      if (auto lost = lose(sequence - 1, Lost("events " + Range(expected, sequence - 1) + " are missing"));
          !lost)
        return lost;
    } else if (sequence < expected) {  // kept in a table although it was given up
      rows->Next();
      continue;
    }
    const auto event = Decode(record);
    std::string_view damage;
    if (!event) {
      damage = CodecErrorName(event.error());
    } else if (event->sequence != expected) {
      damage = "another event is in its place";
    } else if ((linked || expected == 1) && PreviousCheckOf(record) != ends.last_check) {
      damage = "it does not follow the one before";
    }
    if (!damage.empty()) {
      if (auto lost = lose(expected, Damaged(expected, damage)); !lost) return lost;
      rows->Next();
      continue;
    }
    ends.last_check = CheckOf(record);
    linked = true;
    newest = expected;
    if (expected > after) {
      if (auto visited = visit(*event, record); !visited) return visited;
    }
    ++expected;
    rows->Next();
  }
  if (holes.NextOutside(expected) <= ends.last) {
    if (auto lost = lose(ends.last, Lost("events " + Range(expected, ends.last) + " are missing")); !lost)
      return lost;
  }
  if (newest == kNoSequence) {
    ends = {};
  } else {
    ends.last = newest;
  }
  return {};
}

}  // namespace weir::storage
