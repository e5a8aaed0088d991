#include "storage/database_damage.h"

#include <algorithm>
#include <cstddef>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "storage/log_files.h"
#include "storage/rocks_options.h"
#include "storage/second_copy.h"
#include "storage/table_check.h"

namespace weir::storage {
namespace {

namespace fs = std::filesystem;

// Those with events first.
std::string ListOf(std::vector<BrokenTable> tables) {
  constexpr std::size_t kNamed = 5;
  std::ranges::stable_partition(tables, [](const auto& table) { return table.family == Family::kEvents; });
  std::string text;
  for (std::size_t i = 0; i < tables.size() && i < kNamed; ++i)
    text += (i == 0 ? "" : ", ") + Describe(tables[i]);
  if (tables.size() > kNamed) text += " and " + std::to_string(tables.size() - kNamed) + " more";
  return text;
}

std::string PriceOf(std::span<const BrokenTable> broken, bool log_sound) {
  std::vector<std::string> given_up;
  if (std::ranges::any_of(
          broken, [](const auto& table) { return table.family == Family::kEvents && table.lacks_bytes; }))
    given_up.emplace_back("the events named, but for those that are found elsewhere");
  std::set<Family> families;
  for (const BrokenTable& table : broken) families.insert(table.family);
  if (!KeepsOneCopy(families)) given_up.emplace_back(kPriceOfBothCopies);
  if (!log_sound)
    given_up.emplace_back("the newest events and settlements as far as the damage of the log reaches");
  if (given_up.empty())
    return "nothing: what they hold is kept twice, is found without them or is made again from the log";
  std::string text = given_up.front();
  for (std::size_t i = 1; i < given_up.size(); ++i) text += ", and " + given_up[i];
  return text;
}

bool LosesNothing(std::span<const BrokenTable> broken) {
  std::set<Family> families;
  for (const BrokenTable& table : broken) {
    if (table.family == Family::kEvents && table.lacks_bytes) return false;
    families.insert(table.family);
  }
  return KeepsOneCopy(families);
}

// RocksDB has no code for it (VersionSet's WalSet::CheckWals).
bool LacksLog(const StoreError& error) {
  return error.message.find("Missing WAL with log number") != std::string::npos ||
         error.message.find("Size mismatch: WAL") != std::string::npos;
}

}  // namespace

std::string WayOut(std::string_view gives_up) {
  return "Restore the directory from a backup, or start once with `weir serve --accept-data-loss`. It gives "
         "up " +
         std::string(gives_up) + "; what was found is kept beside the store, and what is gone is logged";
}

std::string WayOut(const DatabaseDamage& damage) {
  return damage.recoverable ? "`weir serve` mends it at its start and gives up nothing"
                            : WayOut(damage.gives_up);
}

bool KeepsOneCopy(const std::set<Family>& broken) {
  return !broken.contains(Family::kCopies) || std::ranges::none_of(broken, IsKeptTwice);
}

bool IsDamage(const StoreError& error) {
  if (error.code == StoreErrorCode::kLocked) return false;
  return error.code != StoreErrorCode::kIo ||
         error.message.find("No such file or directory") != std::string::npos;
}

DatabaseDamage ExamineDatabase(const fs::path& folder, const StoreOptions& options, const StoreError& error) {
  if (LacksLog(error)) {
    return {.what = "of the database's write-ahead log a file is missing or shorter than it was: " +
                    error.message,
            .gives_up = "the events and settlements that were in it, and what was settled behind them",
            .log_only = true,
            .lacks_log = true};
  }
  // Without a look at the tables: what the MANIFEST lists, and whatever is left of the log.
  const DiskEnv files(options.disk, nullptr, nullptr, Disk::Access::kOverDamage);
  rocksdb::DBOptions lenient = DatabaseOptions(options, files.env(), false, LogDamage::kSkip);
  // RocksDB asserts where a list of tables that lists logs is read without, by somebody who may not change it.
  lenient.track_and_verify_wals_in_manifest = true;
  lenient.create_missing_column_families = false;
  lenient.paranoid_checks = false;
  lenient.skip_checking_sst_file_sizes_on_db_open = true;
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* opened = nullptr;
  const rocksdb::Status status = rocksdb::DB::OpenForReadOnly(
      lenient, folder, Descriptors(options, LogDamage::kSkip), &handles, &opened);
  const std::unique_ptr<rocksdb::DB> db(opened);
  if (!status.ok()) {
    return {
        .what = "the database's list of tables (CURRENT, MANIFEST) is damaged or missing: " + error.message,
        .gives_up = std::string(kPriceOfTableList)};
  }
  std::vector<rocksdb::LiveFileMetaData> tables;
  db->GetLiveFilesMetaData(&tables);
  for (rocksdb::ColumnFamilyHandle* handle : handles) db->DestroyColumnFamilyHandle(handle);
  const bool log_sound = LogsAreWhole(*options.disk, folder);
  const std::vector<BrokenTable> broken =
      FindBrokenTables(*options.disk, folder, files.env(), tables, [](Family) { return true; });
  if (broken.empty()) {
    return {.what = "the database's write-ahead log is damaged: " + error.message,
            .gives_up = "the newest events and settlements as far as the damage reaches",
            .log_only = true};
  }
  DatabaseDamage damage;
  damage.log_sound = log_sound;
  damage.recoverable = log_sound && LosesNothing(broken);
  for (const BrokenTable& table : broken) damage.families.insert(table.family);
  damage.what = "of the database's tables " + ListOf(broken);
  if (!log_sound) damage.what += ", and its write-ahead log is damaged";
  damage.gives_up = PriceOf(broken, log_sound);
  return damage;
}

}  // namespace weir::storage
