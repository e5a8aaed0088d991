// RocksDB's own repair reads the column family of a table from the table, and drops the rows of a write-ahead log
// whose family has no table. A store that is young, or has no dead letters, has families that live in the log
// alone, so each family is given a table first: one row, older than every other, taken out again at the end.
#include "storage/database_repair.h"

#include <rocksdb/sst_file_reader.h>
#include <rocksdb/table_properties.h>
#include <rocksdb/write_batch.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "storage/keys.h"
#include "storage/rocks_options.h"
#include "storage/salvage.h"
#include "storage/second_copy.h"
#include "storage/table_check.h"

namespace weir::storage {
namespace {

namespace fs = std::filesystem;

// Sorts before every key of every family, and is none but that of an event 0.
constexpr std::string_view kSeedKey{"\0\0\0\0\0\0\0\0", 8};
constexpr std::size_t kSalvageBatchBytes = 1u << 20;
// Where RocksDB's repair puts what it leaves out.
constexpr std::string_view kLostFolder = "lost";

std::unexpected<StoreError> Failed(std::string_view doing, const DiskError& error) {
  return std::unexpected(StoreError{
      StoreErrorCode::kIo, "the database cannot be repaired: " + std::string(doing) + ": " + error.message});
}

std::unexpected<StoreError> Failed(std::string_view doing, const rocksdb::Status& status) {
  return std::unexpected(ErrorFrom(status, "to repair the database: " + std::string(doing)));
}

std::vector<fs::path> TablesIn(const Disk& disk, const fs::path& folder) {
  return FilesEndingIn(disk, folder, ".sst");
}

DiskResult<void> Copy(Disk& disk, const fs::path& from, const fs::path& to) {
  const auto bytes = ReadWhole(disk, from);
  if (!bytes) return std::unexpected(bytes.error());
  const auto file = disk.Open(to, Disk::Access::kReplace);
  if (!file) return std::unexpected(file.error());
  if (auto written = (*file)->WriteAt(0, *bytes); !written) return written;
  return (*file)->Sync();
}

std::string TableName(std::uint64_t number) {
  std::string digits = std::to_string(number);
  if (digits.size() < 6) digits.insert(0, 6 - digits.size(), '0');
  return digits + ".sst";
}

// A new database with one row in each family, as a table of the last level: its sequence number is then 0.
StoreResult<void> MakeSeeds(const fs::path& folder, const StoreOptions& options) {
  auto seeds = Rocks::Open(folder, options, true, LogDamage::kRefuse);
  if (!seeds) return std::unexpected(seeds.error());
  rocksdb::CompactRangeOptions to_last_level;
  to_last_level.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForce;
  for (std::size_t i = 0; i < kFamilies; ++i) {
    rocksdb::ColumnFamilyHandle* family = (*seeds)->family(static_cast<Family>(i));
    rocksdb::DB& db = (*seeds)->db();
    rocksdb::Status status = db.Put({}, family, ToSlice(kSeedKey), rocksdb::Slice());
    if (status.ok()) status = db.Flush({}, family);
    if (status.ok()) status = db.CompactRange(to_last_level, family, nullptr, nullptr);
    if (!status.ok()) return Failed("a table for each family", status);
  }
  return {};
}

StoreResult<void> PlantSeeds(const fs::path& folder, const StoreOptions& options) {
  const fs::path making(folder.string() + ".seeds");
  Disk& disk = *options.disk;
  if (auto removed = RemoveTree(disk, making); !removed)
    return Failed("a table for each family", removed.error());
  if (auto made = MakeSeeds(making, options); !made) return made;
  std::uint64_t number = 0;
  for (const fs::path& table : TablesIn(disk, folder)) number = std::max(number, TableNumberOf(table));
  for (const fs::path& seed : TablesIn(disk, making)) {
    if (const auto copied = Copy(disk, seed, folder / TableName(++number)); !copied)
      return Failed("a table for each family", copied.error());
  }
  std::ignore = RemoveTree(disk, making);
  return {};
}

std::vector<rocksdb::LiveFileMetaData> TablesOf(rocksdb::DB& db, const rocksdb::ColumnFamilyHandle& family) {
  std::vector<rocksdb::LiveFileMetaData> tables;
  db.GetLiveFilesMetaData(&tables);
  std::erase_if(tables, [&](const auto& table) { return table.column_family_name != family.GetName(); });
  std::ranges::sort(tables, {}, &rocksdb::LiveFileMetaData::smallestkey);
  return tables;
}

// The first key that two tables of the log may hold.
std::optional<std::string> FirstOverlap(const std::vector<rocksdb::LiveFileMetaData>& tables) {
  std::string last;
  for (const rocksdb::LiveFileMetaData& table : tables) {
    if (!last.empty() && table.smallestkey <= last) return table.smallestkey;
    last = std::max(last, table.largestkey);
  }
  return std::nullopt;
}

// Takes the seed out of a family, and merges what is there twice: the next open takes two tables of the same rows for
// damage. The log is too large to be merged as a whole and overlaps at its end only. Tables go down the levels by
// themselves as well, and may be on their way when they are looked for.
StoreResult<void> Settle(rocksdb::DB& db, rocksdb::ColumnFamilyHandle* family, bool is_log) {
  constexpr int kLooksMax = 8;
  rocksdb::CompactRangeOptions through_all_levels;
  through_all_levels.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForce;
  const rocksdb::Slice seed = ToSlice(kSeedKey);
  rocksdb::Status status = db.Delete({}, family, seed);
  if (status.ok()) status = db.Flush({}, family);
  for (int look = 0; status.ok() && look < kLooksMax; ++look) {
    const auto tables = TablesOf(db, *family);
    const bool holds_seed = !tables.empty() && tables.front().smallestkey == kSeedKey;
    const auto overlap = FirstOverlap(tables);
    if (!holds_seed && !overlap) return {};
    const rocksdb::Slice from = overlap ? ToSlice(*overlap) : seed;
    if (!is_log) {
      status = db.CompactRange(through_all_levels, family, nullptr, nullptr);
    } else if (holds_seed) {
      status = db.CompactRange(through_all_levels, family, &seed, &seed);
    } else {
      status = db.CompactRange(through_all_levels, family, &from, nullptr);
    }
  }
  return Failed("merging what is there twice",
                status.ok() ? rocksdb::Status::Busy("it is there twice again") : status);
}

rocksdb::Options ReadOnDisk(rocksdb::Env* env) {
  rocksdb::Options options;
  options.env = env;
  return options;
}

// kDefault, which is empty, for a table that is none of ours.
Family FamilyOf(const rocksdb::SstFileReader& table) {
  const auto name = std::ranges::find(kFamilyNames, table.GetTableProperties()->column_family_name);
  return name == kFamilyNames.end() ? Family::kDefault : static_cast<Family>(name - kFamilyNames.begin());
}

// Tables under a number that is not theirs: copies, or from another time. Together with the table they are a copy of,
// RocksDB's repair takes them for a mistake of its own and ends.
StoreResult<std::set<fs::path>> SetStraysAside(const fs::path& folder, const StoreOptions& options,
                                               rocksdb::Env* env) {
  std::set<fs::path> strays;
  Disk& disk = *options.disk;
  for (const fs::path& table : TablesIn(disk, folder)) {
    rocksdb::SstFileReader reader(ReadOnDisk(env));
    if (!reader.Open(table).ok()) continue;
    const std::uint64_t made_under = MadeUnder(*reader.GetTableProperties());
    if (made_under == 0 || made_under == TableNumberOf(table)) continue;
    const fs::path lost = folder / kLostFolder;
    DiskResult<void> done;
    if (!Exists(disk, lost)) done = disk.MakeDirectory(lost);
    if (done) done = disk.Rename(table, lost / table.filename());
    if (!done) return Failed("setting a table aside that is a copy", done.error());
    strays.insert(lost / table.filename());
  }
  return strays;
}

// Puts back into a family what it does not have, in batches.
class Restorer {
 public:
  Restorer(Rocks& rocks, Family family) : rocks_(rocks), family_(family) {}
  StoreResult<void> Put(std::string_view key, std::string_view value) {
    rocksdb::PinnableSlice present;
    if (rocks_.db().Get({}, rocks_.family(family_), ToSlice(key), &present).ok()) return {};
    found_.Put(rocks_.family(family_), ToSlice(key), ToSlice(value));
    return found_.GetDataSize() < kSalvageBatchBytes ? StoreResult<void>{} : Flush();
  }
  StoreResult<void> Flush() {
    auto written = rocks_.Write({}, found_, "to repair the database: what damaged tables still hold");
    found_.Clear();
    return written;
  }

 private:
  Rocks& rocks_;
  const Family family_;
  rocksdb::WriteBatch found_;
};

// Events, by the table's index. Every seek into an unreadable block fails, and a block is a few hundred events.
StoreResult<void> RestoreReadable(rocksdb::SstFileReader& table, Restorer& to) {
  const std::unique_ptr<rocksdb::Iterator> rows(table.NewIterator(rocksdb::ReadOptions()));
  const std::uint64_t entries = table.GetTableProperties()->num_entries;
  Sequence behind = kNoSequence;  // the last event found
  std::uint64_t step = 1;
  for (rows->SeekToFirst();;) {
    if (rows->Valid()) {
      behind = ParseSequenceKey(ToView(rows->key())).value_or(behind);
      if (auto put = to.Put(ToView(rows->key()), ToView(rows->value())); !put) return put;
      step = 1;
      rows->Next();
      continue;
    }
    if (rows->status().ok() || step > entries) break;
    rows->Seek(ToSlice(SequenceKey(behind + step).view()));
    ++step;
  }
  return to.Flush();
}

// Events, without an index. A table of another family has no records.
StoreResult<void> RestoreFound(const Rocks& rocks, const fs::path& table, Restorer& to) {
  const auto put = [&](Sequence sequence, std::string_view record) {
    return to.Put(SequenceKey(sequence).view(), record);
  };
  if (auto found = VisitRecords(rocks.disk(), table, put); !found) return found;
  return to.Flush();
}

// Rows of a table that is kept twice, up to its first damaged place and from its last one on.
StoreResult<void> RestoreRows(Rocks& rocks, const fs::path& table, Family to_family) {
  rocksdb::SstFileReader reader(ReadOnDisk(rocks.db().GetEnv()));
  if (!reader.Open(table).ok()) return {};
  const bool of_copies = FamilyOf(reader) == Family::kCopies;
  const std::string prefix = of_copies ? CopyKey(to_family, "") : "";
  if (!of_copies && FamilyOf(reader) != to_family) return {};
  Restorer to(rocks, to_family);
  const std::unique_ptr<rocksdb::Iterator> rows(reader.NewIterator(rocksdb::ReadOptions()));
  const auto put = [&]() -> StoreResult<void> {
    if (!rows->key().starts_with(prefix)) return {};
    const std::string_view key = ToView(rows->key());
    return to.Put(of_copies ? OriginalKey(key) : key, ToView(rows->value()));
  };
  for (rows->SeekToFirst(); rows->Valid(); rows->Next()) {
    if (auto done = put(); !done) return done;
  }
  if (rows->status().ok()) return to.Flush();
  for (rows->SeekToLast(); rows->Valid(); rows->Prev()) {
    if (auto done = put(); !done) return done;
  }
  return to.Flush();
}

// Of a family and of its second copies tables were left out: each has what the other lacks, the database first.
StoreResult<void> RestoreFromBoth(Rocks& rocks, Family family, const std::vector<fs::path>& left_out) {
  Restorer to(rocks, family);
  const std::string prefix = CopyKey(family, "");
  const std::unique_ptr<rocksdb::Iterator> copies(
      rocks.db().NewIterator(InOrder(), rocks.family(Family::kCopies)));
  for (copies->Seek(prefix); copies->Valid() && copies->key().starts_with(prefix); copies->Next()) {
    if (auto put = to.Put(OriginalKey(ToView(copies->key())), ToView(copies->value())); !put) return put;
  }
  if (auto flushed = to.Flush(); !flushed) return flushed;
  for (const fs::path& table : left_out) {
    if (auto restored = RestoreRows(rocks, table, family); !restored) return restored;
  }
  return {};
}

// Puts back what the repair left out for what cannot be read of it, and names the families it left something out of.
StoreResult<std::set<Family>> Restore(Rocks& rocks, const std::vector<fs::path>& lost,
                                      const std::set<fs::path>& strays, std::set<Family> incomplete) {
  std::vector<fs::path> left_out;
  Restorer events(rocks, Family::kEvents);
  for (const fs::path& table : lost) {
    rocksdb::SstFileReader reader(ReadOnDisk(rocks.db().GetEnv()));
    const bool readable = reader.Open(table).ok();
    const std::optional<Family> family = readable ? std::optional(FamilyOf(reader)) : std::nullopt;
    if (family == Family::kEvents) {
      if (auto restored = RestoreReadable(reader, events); !restored)
        return std::unexpected(restored.error());
    }
    if (!family || family == Family::kEvents) {
      if (auto restored = RestoreFound(rocks, table, events); !restored)
        return std::unexpected(restored.error());
    }
    if (strays.contains(table)) continue;
    if (family) incomplete.insert(*family);
    left_out.push_back(table);
  }
  if (!incomplete.contains(Family::kCopies)) return incomplete;
  for (const Family family : kKeptTwice) {
    if (!incomplete.contains(family)) continue;
    if (auto restored = RestoreFromBoth(rocks, family, left_out); !restored)
      return std::unexpected(restored.error());
  }
  return incomplete;
}

}  // namespace

StoreResult<std::set<Family>> RepairDatabase(const fs::path& folder, const StoreOptions& options,
                                             const std::set<Family>& broken) {
  const DiskEnv files(options.disk, nullptr, nullptr, Disk::Access::kOverDamage);
  const auto strays = SetStraysAside(folder, options, files.env());
  if (!strays) return std::unexpected(strays.error());
  if (auto planted = PlantSeeds(folder, options); !planted) return std::unexpected(planted.error());
  const rocksdb::Status repaired =
      rocksdb::RepairDB(folder, DatabaseOptions(options, files.env(), false, LogDamage::kSkip),
                        Descriptors(options, LogDamage::kSkip));
  if (!repaired.ok()) return Failed(folder.string(), repaired);
  if (files.frozen()) {
    return std::unexpected(StoreError{
        StoreErrorCode::kIo, "the database cannot be repaired: the disk of " + folder.string() + " fails"});
  }
  auto rocks = Rocks::Open(folder, options, false, LogDamage::kSkip);
  if (!rocks) return std::unexpected(rocks.error());
  for (std::size_t i = 0; i < kFamilies; ++i) {
    const auto family = static_cast<Family>(i);
    if (auto settled = Settle((*rocks)->db(), (*rocks)->family(family), family == Family::kEvents); !settled)
      return std::unexpected(settled.error());
  }
  auto incomplete = Restore(**rocks, TablesIn(*options.disk, folder / kLostFolder), *strays, broken);
  if (!incomplete) return incomplete;
  if (auto synced = (*rocks)->SyncLog("to repair the database: its last step"); !synced)
    return std::unexpected(synced.error());
  // What the repair set aside is in the copy of what was found as well.
  std::ignore = RemoveTree(*options.disk, folder / kLostFolder);
  return incomplete;
}

}  // namespace weir::storage
