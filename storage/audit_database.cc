#include "storage/audit_database.h"

#include <utility>

#include "storage/data_directory.h"
#include "storage/database_damage.h"
#include "storage/log_files.h"
#include "storage/table_check.h"
#include "storage/wal_disk.h"

namespace weir::storage {
namespace {

std::unexpected<StoreError> Fail(StoreErrorCode code, std::string message) {
  return std::unexpected(StoreError{code, std::move(message)});
}

}  // namespace

StoreResult<AuditedDatabase> OpenForAudit(const std::filesystem::path& directory,
                                          const std::shared_ptr<Disk>& below) {
  StoreOptions options;
  options.directory = directory;
  options.disk = below;
  options.read_only = true;
  const std::shared_ptr<Disk> disk = OnWalDisk(options);
  options.disk = disk;
  if (auto entered = EnterDirectory(*disk, directory, false); !entered)
    return Fail(StoreErrorCode::kFormat, entered.error());
  const std::filesystem::path folder = directory / "store";
  if (!Exists(*disk, folder / "CURRENT") && FilesEndingIn(*disk, folder, ".sst").empty())
    return Fail(StoreErrorCode::kFormat, "there is no store in " + directory.string());
  AuditedDatabase database;
  auto lock = TakeDirectory(*disk, directory, Disk::LockMode::kShared);
  if (!lock) return Fail(StoreErrorCode::kIo, lock.error());
  if (!*lock) {
    return Fail(StoreErrorCode::kLocked,
                HolderOf(LockFileOf(directory)) + " holds the store in " + directory.string() +
                    "; verify reads it at rest: stop the server first, or verify a backup");
  }
  database.lock = *std::move(lock);
  if (const auto ordered = CheckLogOrder(*disk, folder); !ordered)
    return Fail(StoreErrorCode::kCorruption, ordered.error() + ". " + WayOut(kPriceOfLogOrder));
  auto rocks = Rocks::Open(folder, options, false, LogDamage::kRefuse);
  if (!rocks && !IsDamage(rocks.error())) return std::unexpected(rocks.error());
  if (!rocks) {
    const DatabaseDamage damage = ExamineDatabase(folder, options, rocks.error());
    return Fail(StoreErrorCode::kCorruption, damage.what + ". " + WayOut(damage));
  }
  database.rocks = *std::move(rocks);
  return database;
}

std::vector<std::string> DamagedTables(const Rocks& rocks, const std::filesystem::path& directory) {
  std::vector<rocksdb::LiveFileMetaData> tables;
  rocks.db().GetLiveFilesMetaData(&tables);
  std::vector<std::string> damaged;
  for (const BrokenTable& table : FindBrokenTables(rocks.disk(), directory / "store", rocks.db().GetEnv(),
                                                   tables, [](Family) { return true; })) {
    damaged.push_back("table " + Describe(table) +
                      (table.family == Family::kEvents && !table.lacks_bytes
                           ? "; its events are read without its index"
                           : ""));
  }
  return damaged;
}

}  // namespace weir::storage
