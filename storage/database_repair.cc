// RocksDB's own repair reads the column family of a table from the table, and drops the rows of a write-ahead log
// whose family has no table. A store that is young, or has no dead letters, has families that live in the log
// alone, so each family is given a table first: one row, older than every other, taken out again at the end.
#include "storage/database_repair.h"

#include <rocksdb/sst_file_reader.h>
#include <rocksdb/table_properties.h>
#include <rocksdb/write_batch.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "storage/keys.h"
#include "storage/rocks_options.h"
#include "storage/salvage.h"
#include "storage/second_copy.h"

namespace weir::storage {
namespace {

namespace fs = std::filesystem;

// Sorts before every key of every family, and is none but that of an event 0.
constexpr std::string_view kSeedKey{"\0\0\0\0\0\0\0\0", 8};
constexpr std::size_t kSalvageBatchBytes = 1u << 20;

std::unexpected<StoreError> Failed(std::string_view doing, const DiskError& error) {
  return std::unexpected(StoreError{
      StoreErrorCode::kIo, "the database cannot be repaired: " + std::string(doing) + ": " + error.message});
}

std::unexpected<StoreError> Failed(std::string_view doing, const rocksdb::Status& status) {
  return std::unexpected(ErrorFrom(status, "to repair the database: " + std::string(doing)));
}

std::uint64_t NumberOf(const fs::path& table) {
  const std::string stem = table.stem().string();
  std::uint64_t number = 0;
  std::from_chars(stem.data(), stem.data() + stem.size(), number);
  return number;
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
  for (const fs::path& table : TablesIn(disk, folder)) number = std::max(number, NumberOf(table));
  for (const fs::path& seed : TablesIn(disk, making)) {
    if (const auto copied = Copy(disk, seed, folder / TableName(++number)); !copied)
      return Failed("a table for each family", copied.error());
  }
  std::ignore = RemoveTree(disk, making);
  return {};
}

rocksdb::Options ReadOnDisk(rocksdb::Env* env) {
  rocksdb::Options options;
  options.env = env;
  return options;
}

// Into the log, in batches.
class Restorer {
 public:
  explicit Restorer(Rocks& rocks) : rocks_(rocks) {}
  StoreResult<void> Put(const rocksdb::Slice& key, const rocksdb::Slice& record) {
    found_.Put(rocks_.family(Family::kEvents), key, record);
    return found_.GetDataSize() < kSalvageBatchBytes ? StoreResult<void>{} : Flush();
  }
  StoreResult<void> Flush() {
    auto written = rocks_.Write({}, found_, "to repair the database: events of a damaged table");
    found_.Clear();
    return written;
  }

 private:
  Rocks& rocks_;
  rocksdb::WriteBatch found_;
};

// By its index. Every seek into an unreadable block fails, and a block is a few hundred events.
StoreResult<void> RestoreReadable(rocksdb::SstFileReader& table, Restorer& to) {
  const std::unique_ptr<rocksdb::Iterator> rows(table.NewIterator(rocksdb::ReadOptions()));
  const std::uint64_t entries = table.GetTableProperties()->num_entries;
  Sequence behind = kNoSequence;  // the last event found
  std::uint64_t step = 1;
  for (rows->SeekToFirst();;) {
    if (rows->Valid()) {
      behind = ParseSequenceKey(ToView(rows->key())).value_or(behind);
      if (auto put = to.Put(rows->key(), rows->value()); !put) return put;
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

// Without one. A table of another family has no records.
StoreResult<void> RestoreFound(Rocks& rocks, const fs::path& table, Restorer& to) {
  const auto put = [&](Sequence sequence, std::string_view record) {
    return to.Put(ToSlice(SequenceKey(sequence).view()), ToSlice(record));
  };
  if (auto found = VisitRecords(rocks.disk(), table, put); !found) return found;
  return to.Flush();
}

// Puts back what the repair left out of a table of the log for what cannot be read of it.
StoreResult<void> Restore(Rocks& rocks, const fs::path& table) {
  Restorer to(rocks);
  rocksdb::SstFileReader reader(ReadOnDisk(rocks.db().GetEnv()));
  if (!reader.Open(table).ok()) return RestoreFound(rocks, table, to);
  if (reader.GetTableProperties()->column_family_name !=
      kFamilyNames[static_cast<std::size_t>(Family::kEvents)])
    return {};
  return RestoreReadable(reader, to);
}

std::string ListOf(const std::vector<std::string>& names) {
  constexpr std::size_t kNamed = 5;
  std::string text;
  for (std::size_t i = 0; i < names.size() && i < kNamed; ++i) text += (i == 0 ? "" : ", ") + names[i];
  if (names.size() > kNamed) text += " and " + std::to_string(names.size() - kNamed) + " more";
  return text;
}

struct BrokenTables {
  std::vector<std::string> log;      // with the events they held
  std::vector<std::string> derived;  // of the dedupe index
  std::vector<std::string> other;
  std::set<Family> families;
  bool log_lacks_bytes = false;  // not only damaged: missing or cut
  bool none() const { return families.empty(); }
  // A damaged end of a table of the log is made up for by its records; what is kept twice by its other copy.
  bool recoverable() const {
    const bool a_first = std::ranges::any_of(families, IsKeptTwice);
    return !log_lacks_bytes && !(a_first && families.contains(Family::kCopies));
  }
};

BrokenTables FindBroken(const Disk& disk, const fs::path& folder, rocksdb::Env* env,
                        const std::vector<rocksdb::LiveFileMetaData>& tables) {
  BrokenTables broken;
  for (const rocksdb::LiveFileMetaData& table : tables) {
    const std::string name = table.name.substr(table.name.starts_with('/') ? 1 : 0);
    const bool missing = !Exists(disk, folder / name);
    const std::uint64_t bytes = BytesOf(disk, folder / name);
    const bool whole = !missing && bytes == table.size &&
                       rocksdb::SstFileReader(ReadOnDisk(env)).Open((folder / name).string()).ok();
    if (whole) continue;
    const std::string state = missing ? " is missing" : bytes != table.size ? " is cut" : " is damaged";
    const auto family =
        static_cast<Family>(std::ranges::find(kFamilyNames, table.column_family_name) - kFamilyNames.begin());
    broken.families.insert(family);
    if (family == Family::kEvents) {
      broken.log_lacks_bytes = broken.log_lacks_bytes || missing || bytes != table.size;
      const auto first = ParseSequenceKey(table.smallestkey);
      const auto last = ParseSequenceKey(table.largestkey);
      broken.log.push_back(name + state + " (events " + std::to_string(first.value_or(0)) + ".." +
                           std::to_string(last.value_or(0)) + ")");
    } else if (family == Family::kDedupe) {
      broken.derived.push_back(name + state);
    } else {
      broken.other.push_back(name + state + " (" + table.column_family_name + ")");
    }
  }
  return broken;
}

}  // namespace

DatabaseDamage ExamineDatabase(const fs::path& folder, const StoreOptions& options, const StoreError& error) {
  // Without a look at the tables: what the MANIFEST lists, and whatever is left of the log.
  const DiskEnv files(options.disk, nullptr);
  rocksdb::DBOptions lenient = DatabaseOptions(options, files.env(), false, LogDamage::kSkip);
  lenient.create_missing_column_families = false;
  lenient.paranoid_checks = false;
  lenient.skip_checking_sst_file_sizes_on_db_open = true;
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* opened = nullptr;
  const rocksdb::Status status =
      rocksdb::DB::OpenForReadOnly(lenient, folder, Descriptors(options), &handles, &opened);
  const std::unique_ptr<rocksdb::DB> db(opened);
  if (!status.ok()) {
    return {
        .what = "the database's list of tables (CURRENT, MANIFEST) is damaged or missing: " + error.message,
        .gives_up =
            "no event whose table or log is whole: the list is made again from them. Retries and dead "
            "letters that were settled shortly before may come back"};
  }
  std::vector<rocksdb::LiveFileMetaData> tables;
  db->GetLiveFilesMetaData(&tables);
  for (rocksdb::ColumnFamilyHandle* handle : handles) db->DestroyColumnFamilyHandle(handle);
  const BrokenTables broken = FindBroken(*options.disk, folder, files.env(), tables);
  if (broken.none()) {
    return {.what = "the database's write-ahead log is damaged: " + error.message,
            .gives_up = "the newest events and settlements as far as the damage reaches",
            .log_only = true};
  }
  std::vector<std::string> all = broken.log;
  all.insert(all.end(), broken.other.begin(), broken.other.end());
  all.insert(all.end(), broken.derived.begin(), broken.derived.end());
  DatabaseDamage damage{.what = "of the database's tables " + ListOf(all),
                        .gives_up = "",
                        .recoverable = broken.recoverable(),
                        .families = broken.families};
  if (!broken.log.empty()) damage.gives_up = "the events named";
  if (!broken.other.empty()) {
    damage.gives_up +=
        std::string(damage.gives_up.empty() ? "" : ", and ") +
        "what those tables say of deliveries: a sink whose position was there gets the log from its "
        "beginning, dead letters there are gone";
  }
  if (broken.log.empty() && damage.recoverable)
    damage.gives_up = "nothing: what they hold is kept twice or is made again from the log";
  return damage;
}

StoreResult<void> RepairDatabase(const fs::path& folder, const StoreOptions& options) {
  if (auto planted = PlantSeeds(folder, options); !planted) return planted;
  const DiskEnv files(options.disk, nullptr);
  const rocksdb::Status repaired = rocksdb::RepairDB(
      folder, DatabaseOptions(options, files.env(), false, LogDamage::kSkip), Descriptors(options));
  if (!repaired.ok()) return Failed(folder.string(), repaired);
  if (files.frozen()) {
    return std::unexpected(StoreError{
        StoreErrorCode::kIo, "the database cannot be repaired: the disk of " + folder.string() + " fails"});
  }
  auto rocks = Rocks::Open(folder, options, false, LogDamage::kSkip);
  if (!rocks) return std::unexpected(rocks.error());
  rocksdb::CompactRangeOptions through_all_levels;
  through_all_levels.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForce;
  const rocksdb::Slice seed = ToSlice(kSeedKey);
  for (std::size_t i = 0; i < kFamilies; ++i) {
    rocksdb::ColumnFamilyHandle* family = (*rocks)->family(static_cast<Family>(i));
    rocksdb::Status status = (*rocks)->db().Delete({}, family, seed);
    if (status.ok()) status = (*rocks)->db().Flush({}, family);
    if (status.ok()) status = (*rocks)->db().CompactRange(through_all_levels, family, &seed, &seed);
    if (!status.ok()) return Failed("taking out what was added", status);
  }
  for (const fs::path& table : TablesIn(*options.disk, folder / "lost")) {
    if (auto restored = Restore(**rocks, table); !restored) return restored;
  }
  if (auto synced = (*rocks)->SyncLog("to repair the database: its last step"); !synced) return synced;
  // What the repair set aside is in the copy of what was found as well.
  std::ignore = RemoveTree(*options.disk, folder / "lost");
  return {};
}

}  // namespace weir::storage
