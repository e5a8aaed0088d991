// Opens RocksDB. Every option that is set stands in rocks.cc with its reason. Internal to storage/: nobody
// else includes it.
#pragma once

#include <rocksdb/db.h>
#include <rocksdb/options.h>
#include <rocksdb/write_batch.h>

#include <array>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "storage/disk_file_system.h"
#include "storage/event_store.h"
#include "storage/high_water.h"
#include "storage/keys.h"
#include "storage/log_gap_filter.h"
#include "storage/trash.h"

namespace weir::storage {

class Rocks;
class StoreHealth;

// The rows of a family whose keys begin with `prefix`, in the order of their keys. Where a family that is kept twice
// cannot be read any further, its second copy goes on.
class Rows {
 public:
  Rows(const Rocks& rocks, Family family, std::string_view prefix, const rocksdb::Snapshot* as_of = nullptr);

  bool Valid() const { return row_; }
  std::string_view key() const;
  std::string_view value() const;
  void Next();
  // Asked once there is no further row.
  rocksdb::Status status() const { return rows_->status(); }

 private:
  void Look();

  const Rocks& rocks_;
  const Family family_;
  std::string prefix_;  // as it is where rows_ goes
  rocksdb::ReadOptions read_;
  std::unique_ptr<rocksdb::Iterator> rows_;
  std::string last_;  // the key of the last row
  bool in_copies_ = false;
  bool row_ = false;
};

// What to do about a damaged write-ahead log. Only the first is for a store that keeps its promises.
enum class LogDamage : std::uint8_t {
  kRefuse,
  kSkip,     // drop what is damaged, keep what is behind it but for sinks' positions (log_gap_filter.h)
  kSkipAll,  // the same where a log is missing, which may be the oldest: no position of what is left is kept
};

// The open database and its column families; closed by the destructor.
class Rocks {
 public:
  // `create` makes a new database and fails on an existing one; without it a missing database is an error.
  // `health` outlives the database, and is told of errors in the background; may be nullptr.
  static StoreResult<std::unique_ptr<Rocks>> Open(const std::filesystem::path& directory,
                                                  const StoreOptions& options, bool create, LogDamage damage,
                                                  StoreHealth* health = nullptr);
  ~Rocks();
  Rocks(const Rocks&) = delete;
  Rocks& operator=(const Rocks&) = delete;

  rocksdb::DB& db() const { return *db_; }
  Disk& disk() const { return *disk_; }
  rocksdb::ColumnFamilyHandle* family(Family family) const {
    return families_[static_cast<std::size_t>(family)];
  }

  // The doors to the log, through which rows that are kept twice get their second copies (second_copy.h). RocksDB is not
  // to be asked: a disk that has failed is kept from it (disk_file_system.h), and from then on both return an error.
  // `doing` completes "the store failed …".
  StoreResult<void> Write(const rocksdb::WriteOptions& how, rocksdb::WriteBatch& updates,
                          std::string_view doing);
  // Without second copies, for what makes one of the two anew.
  StoreResult<void> WriteAsIs(const rocksdb::WriteOptions& how, rocksdb::WriteBatch& updates,
                              std::string_view doing);
  StoreResult<void> SyncLog(std::string_view doing);

  // How far its list of tables is durable.
  TableListEnd TableList() const;

  // nullopt for a key that is not there. What is kept twice is read from its second copy where the first is damaged.
  StoreResult<std::optional<std::string>> Get(Family family, std::string_view key) const;

  // LogGapFilter::withheld, after an open with LogDamage::kSkip.
  const std::map<std::string, std::string>& withheld_positions() const { return gaps_->withheld(); }

  // What is kept twice could be read from one copy only. Any thread.
  void TellOfDamage(Family family) const;

  // An empty family in the place of this one, whatever is wrong with its files. Nobody else may use it meanwhile.
  StoreResult<void> Reset(Family family);

 private:
  StoreResult<void> Believed(const rocksdb::Status& status, std::string_view doing) const;

  Rocks(std::shared_ptr<Disk> disk, const std::filesystem::path& directory, LogDamage damage,
        StoreHealth* health, DiskEnv::OnFailure on_failure)
      : disk_(disk),
        health_(health),
        trash_(disk, directory, directory.parent_path() / kTrashFolder, health),
        files_(std::move(disk), std::move(on_failure), &trash_,
               damage >= LogDamage::kSkip ? Disk::Access::kOverDamage : Disk::Access::kRead) {}
  const std::shared_ptr<Disk> disk_;
  StoreHealth* const health_;
  std::vector<rocksdb::ColumnFamilyDescriptor> descriptors_;  // by family
  Trash trash_;                                               // outlives files_
  DiskEnv files_;                                             // outlives the database
  std::unique_ptr<LogGapFilter> gaps_;                        // likewise
  std::unique_ptr<rocksdb::DB> db_;
  std::array<rocksdb::ColumnFamilyHandle*, kFamilies> families_{};
};

// How a family without range deletions is read in order, and what is to be read of one with some is not among them.
// With them, a step forward into a table whose first block cannot be read passes over that table, and the status says
// nothing of it (RocksDB 7.8, MergingIterator::SkipNextDeleted). Only the dedupe index deletes ranges.
rocksdb::ReadOptions InOrder();

// As its files say; of nothing where they do not.
TableListEnd TableListIn(Disk& disk, const std::filesystem::path& directory);

// What a failed call means to the engine. `doing` completes "weir's store failed …".
StoreError ErrorFrom(const rocksdb::Status& status, std::string_view doing);

inline rocksdb::Slice ToSlice(std::string_view view) {
  return {view.data(), view.size()};
}
inline std::string_view ToView(const rocksdb::Slice& slice) {
  return {slice.data(), slice.size()};
}

}  // namespace weir::storage
