#include "storage/rocks.h"

#include <rocksdb/cache.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/listener.h>
#include <rocksdb/options.h>
#include <rocksdb/table.h>
#include <sys/resource.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include "storage/check.h"
#include "storage/limits.h"
#include "storage/log_files.h"
#include "storage/memory_shortage.h"
#include "storage/open_files.h"
#include "storage/rocks_options.h"
#include "storage/second_copy.h"
#include "storage/store_health.h"

namespace weir::storage {
namespace {

constexpr std::size_t kEventBlockBytes = 32u << 10;

rocksdb::WALRecoveryMode RecoveryMode(LogDamage damage) {
  switch (damage) {
    case LogDamage::kRefuse:
      return rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
    case LogDamage::kSkip:
    case LogDamage::kSkipAll:
      return rocksdb::WALRecoveryMode::kSkipAnyCorruptedRecords;
  }
  return rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
}

constexpr std::string_view kTableListName = "MANIFEST-";

// 0 where the name is another file's.
std::uint64_t TableListNumber(std::string_view name) {
  if (!name.starts_with(kTableListName)) return 0;
  name.remove_prefix(kTableListName.size());
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  return error == std::errc{} && end == name.data() + name.size() ? number : 0;
}

class BackgroundErrors : public rocksdb::EventListener {
 public:
  explicit BackgroundErrors(StoreHealth& health) : health_(health) {}

  void OnBackgroundError(rocksdb::BackgroundErrorReason reason, rocksdb::Status* error) override {
    // A compaction leaves what it reads in place until what it writes is complete, and is tried again: what it meets
    // costs space. Taken for an error it would end every write, after each restart again.
    if (reason == rocksdb::BackgroundErrorReason::kCompaction) {
      health_.Report(StoreTrouble::Part::kCompaction,
                     "files cannot be merged: " + error->ToString() + "; weir verify says what is damaged");
      *error = rocksdb::Status::OK();
      return;
    }
    health_.Fail(ErrorFrom(*error, "in the background"));
  }
  void OnCompactionCompleted(rocksdb::DB* /*db*/, const rocksdb::CompactionJobInfo& job) override {
    if (job.status.ok()) health_.Over(StoreTrouble::Part::kCompaction);
  }

 private:
  StoreHealth& health_;
};

}  // namespace

rocksdb::DBOptions DatabaseOptions(const StoreOptions& options, rocksdb::Env* env, bool create,
                                   LogDamage damage) {
  rocksdb::DBOptions db;
  db.env = env;
  db.create_if_missing = create;
  db.error_if_exists = create;
  // Also later: a crash may have ended the making of a store between two families. A family that was lost
  // instead shows as a log that ends before its high-water record.
  db.create_missing_column_families = !options.read_only;

  // Refuses a damaged middle of the log and accepts a torn end: the point-in-time default opens "OK" with
  // everything after a flipped byte gone, absolute consistency would not start after an ordinary crash.
  db.wal_recovery_mode = RecoveryMode(damage);
  // A log that is no longer written to is listed with its length once it is synced, until it is let go of: one that is gone or
  // cut is refused, whatever it held. Only a log with damage in it is read without.
  db.track_and_verify_wals_in_manifest = damage < LogDamage::kSkip;
  db.paranoid_checks = true;  // off, a failed sync is forgotten after one write
  // A failed sync is final: what the page cache holds afterwards is unknown, so nothing may be retried into
  // it.
  db.max_bgerror_resume_count = 0;

  // One thread commits. Concurrent memtable writes would only turn off the sequential insert's fast path; the
  // other two give up the order of writes for writers that do not exist here.
  db.allow_concurrent_memtable_write = false;
  db.enable_write_thread_adaptive_yield = false;
  db.enable_pipelined_write = false;
  db.unordered_write = false;

  // Small families are rarely flushed and would pin every log file since; past this they are flushed.
  db.max_total_wal_size = 3 * options.memtable_bytes;
  db.bytes_per_sync =
      1u << 20;  // a flush writes back as it goes instead of in front of the next commit's sync
  db.max_background_jobs = 2;
  db.max_subcompactions = 1;
  // Opening the database opens tables as far as a quarter of this goes, and fails with the first that is damaged at its
  // end. Opened when it is needed, such a table costs what is read from it (salvage.h): raised once the database is open.
  db.max_open_files = static_cast<int>(kOpenFilesMin);
  // On the thread that opens: several would be destroyed unjoined, which ends the process, where a thread cannot be had.
  db.max_file_opening_threads = 1;
  db.skip_stats_update_on_db_open = true;  // reads every file's properties; nothing here uses them

  db.max_log_file_size = 2u << 20;
  db.keep_log_file_num = 3;
  db.stats_dump_period_sec = 0;
  db.stats_persist_period_sec = 0;
  db.dump_malloc_stats = false;
  return db;
}

namespace {

rocksdb::BlockBasedTableOptions TableOptions(const std::shared_ptr<rocksdb::Cache>& cache,
                                             std::size_t block_bytes) {
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = cache;
  table.block_size = block_bytes;
  table.format_version = 5;
  table.checksum = rocksdb::ChecksumType::kXXH3;
  return table;
}

// Append only, keys ascending: a memtable becomes one file that overlaps no other, and "compaction" moves it
// down a level without reading it. Two levels, the lower one unbounded, so that it moves once.
rocksdb::ColumnFamilyOptions EventOptions(const StoreOptions& options,
                                          const std::shared_ptr<rocksdb::Cache>& cache) {
  rocksdb::ColumnFamilyOptions family;
  family.write_buffer_size = options.memtable_bytes;
  family.max_write_buffer_number = limits::kMemtablesPerFamily;
  family.num_levels = 2;
  family.level0_file_num_compaction_trigger = 2;
  family.max_bytes_for_level_base = std::uint64_t{1} << 50;
  family.target_file_size_base = 2 * options.memtable_bytes;
  family.compression =
      rocksdb::kNoCompression;  // costs more than the rest of a commit; a move needs one kind everywhere
  family.table_factory.reset(rocksdb::NewBlockBasedTableFactory(TableOptions(cache, kEventBlockBytes)));
  return family;
}

rocksdb::ColumnFamilyOptions SmallOptions(const std::shared_ptr<rocksdb::Cache>& cache,
                                          std::size_t memtable_bytes) {
  rocksdb::ColumnFamilyOptions family;
  family.write_buffer_size = memtable_bytes;
  // Files that damage keeps from being merged must not end the commits of everything else.
  family.level0_slowdown_writes_trigger = limits::kUnmergedFilesMax;
  family.level0_stop_writes_trigger = limits::kUnmergedFilesMax;
  family.max_write_buffer_number = limits::kMemtablesPerFamily;
  // Small levels of small tables: what is merged at once is there twice until it is done, also when the disk has come
  // down to the floor meanwhile (kMemtablesUnderFloor).
  family.max_bytes_for_level_base = limits::kMemtablesPerSmallLevel * memtable_bytes;
  family.target_file_size_base = memtable_bytes;
  family.compression = rocksdb::kNoCompression;
  family.table_factory.reset(rocksdb::NewBlockBasedTableFactory(TableOptions(cache, 4u << 10)));
  return family;
}

}  // namespace

std::vector<rocksdb::ColumnFamilyDescriptor> Descriptors(const StoreOptions& options, LogDamage damage) {
  const auto cache = rocksdb::NewLRUCache(limits::kBlockCacheBytes);
  std::vector<rocksdb::ColumnFamilyDescriptor> descriptors;
  for (std::size_t i = 0; i < kFamilies; ++i) {
    const auto family = static_cast<Family>(i);
    rocksdb::ColumnFamilyOptions family_options;
    switch (family) {
      case Family::kDefault:
        break;
      case Family::kEvents:
        family_options = EventOptions(options, cache);
        break;
      case Family::kDedupe:
        family_options = SmallOptions(cache, std::clamp(options.memtable_bytes / 3, std::size_t{1} << 20,
                                                        limits::kDedupeMemtableBytes));
        break;
      case Family::kMeta:
      case Family::kDeliveries:
      case Family::kDead:
      case Family::kConflicts:
      case Family::kCopies:
        family_options = SmallOptions(cache, std::clamp(options.memtable_bytes / 12, std::size_t{256} << 10,
                                                        limits::kSmallFamilyMemtableBytes));
        break;
    }
    family_options.force_consistency_checks = damage == LogDamage::kRefuse;
    descriptors.emplace_back(kFamilyNames[i], family_options);
  }
  return descriptors;
}

StoreResult<std::unique_ptr<Rocks>> Rocks::Open(const std::filesystem::path& directory,
                                                const StoreOptions& options, bool create, LogDamage damage,
                                                StoreHealth* health) {
  std::unique_ptr<Rocks> rocks(
      new Rocks(options.disk, directory, damage, health, [health](const DiskError& error) {
        if (health != nullptr) health->Fail({StoreErrorCode::kIo, "the store failed: " + error.message});
      }));
  rocksdb::DBOptions db_options = DatabaseOptions(options, rocks->files_.env(), create, damage);
  if (health != nullptr) db_options.listeners.push_back(std::make_shared<BackgroundErrors>(*health));
  rocks->gaps_ = std::make_unique<LogGapFilter>(
      damage == LogDamage::kSkipAll ? std::nullopt : FirstLogged(*options.disk, directory));
  if (damage >= LogDamage::kSkip) db_options.wal_filter = rocks->gaps_.get();
  const auto descriptors = Descriptors(options, damage);
  rocks->descriptors_ = descriptors;
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* db = nullptr;
  rocksdb::Status status;
  try {
    // Before the database is there: it would start them with its first flush, in the middle of a commit, and end the
    // process if the machine had no thread to give.
    db_options.env->SetBackgroundThreads(1, rocksdb::Env::HIGH);
    db_options.env->SetBackgroundThreads(1, rocksdb::Env::LOW);
    status = options.read_only
                 ? rocksdb::DB::OpenForReadOnly(db_options, directory, descriptors, &handles, &db)
                 : rocksdb::DB::Open(db_options, directory, descriptors, &handles, &db);
  } catch (const std::system_error& error) {
    return std::unexpected(
        StoreError{StoreErrorCode::kIo,
                   "the store needs threads that this machine does not give: " + error.code().message() +
                       "; raise the limit of processes and threads (pids.max, "
                       "TasksMax=, ulimit -u)"});
  }
  if (!status.ok()) return std::unexpected(ErrorFrom(status, "to open " + directory.string()));
  rocks->db_.reset(db);
  rlimit descriptors_allowed{};
  getrlimit(RLIMIT_NOFILE, &descriptors_allowed);
  const auto open_files = std::to_string(OpenFilesFor(descriptors_allowed.rlim_cur));
  if (!options.read_only) db->SetDBOptions({{"max_open_files", open_files}});
  WEIR_CHECK_EQ(handles.size(), kFamilies);
  for (std::size_t i = 0; i < kFamilies; ++i) rocks->families_[i] = handles[i];
  rocks->files_.BePatient();
  if (options.read_only) return rocks;
  if (const auto started = rocks->trash_.Start(); !started)
    return std::unexpected(StoreError{StoreErrorCode::kIo, started.error()});
  return rocks;
}

Rocks::~Rocks() {
  files_.GiveUp();
  if (!db_) return;
  for (rocksdb::ColumnFamilyHandle* handle : families_) {
    if (handle != nullptr) db_->DestroyColumnFamilyHandle(handle);
  }
  db_->Close();
}

StoreResult<std::optional<std::string>> Rocks::Get(Family which, std::string_view key) const {
  const MustHaveMemory here;
  std::string value;
  rocksdb::Status status = db_->Get(rocksdb::ReadOptions(), family(which), ToSlice(key), &value);
  if (status.IsCorruption() && IsKeptTwice(which)) {
    TellOfDamage(which);
    status = db_->Get(rocksdb::ReadOptions(), family(Family::kCopies), CopyKey(which, key), &value);
  }
  if (status.IsNotFound()) return std::nullopt;
  if (!status.ok()) return std::unexpected(ErrorFrom(status, "to read"));
  return value;
}

StoreResult<void> Rocks::Write(const rocksdb::WriteOptions& how, rocksdb::WriteBatch& updates,
                               std::string_view doing) {
  const MustHaveMemory here;
  if (const auto added = AddSecondCopies(*this, updates); !added.ok())
    return std::unexpected(ErrorFrom(added, doing));
  return WriteAsIs(how, updates, doing);
}

StoreResult<void> Rocks::WriteAsIs(const rocksdb::WriteOptions& how, rocksdb::WriteBatch& updates,
                                   std::string_view doing) {
  const MustHaveMemory here;
  // RocksDB logs an empty batch under the number that the next one gets as well.
  if (updates.Count() == 0) return {};
  const SyncFollows synced(how.sync);
  return Believed(db_->Write(how, &updates), doing);
}

StoreResult<void> Rocks::SyncLog(std::string_view doing) {
  const MustHaveMemory here;
  return Believed(db_->SyncWAL(), doing);
}

StoreResult<void> Rocks::Believed(const rocksdb::Status& status, std::string_view doing) const {
  if (!status.ok()) return std::unexpected(ErrorFrom(status, doing));
  if (!files_.frozen()) return {};
  return std::unexpected(StoreError{
      StoreErrorCode::kIo, "the store failed " + std::string(doing) + ": its disk has failed before"});
}

TableListEnd Rocks::TableList() const {
  const MustHaveMemory here;
  TableListEnd list;
  std::vector<std::string> files;
  if (!db_->GetLiveFiles(files, &list.bytes, false).ok()) return {};
  const auto name = std::ranges::find_if(
      files, [](const std::string& file) { return file.starts_with("/" + std::string(kTableListName)); });
  if (name == files.end()) return {};
  list.number = TableListNumber(std::string_view(*name).substr(1));
  return list;
}

TableListEnd TableListIn(Disk& disk, const std::filesystem::path& directory) {
  std::string current = ReadWhole(disk, directory / "CURRENT").value_or("");
  if (current.ends_with('\n')) current.pop_back();
  return {.number = TableListNumber(current), .bytes = BytesOf(disk, directory / current)};
}

void Rocks::TellOfDamage(Family which) const {
  if (health_ == nullptr) return;
  health_->Report(StoreTrouble::Part::kDamage,
                  std::string("what the store keeps as ") + kFamilyNames[static_cast<std::size_t>(which)] +
                      " is damaged and is read from its second copy; the next start makes it again");
}

Rows::Rows(const Rocks& rocks, Family family, std::string_view prefix, const rocksdb::Snapshot* as_of)
    : rocks_(rocks), family_(family), prefix_(prefix) {
  const MustHaveMemory here;
  read_ = InOrder();
  read_.snapshot = as_of;
  rows_.reset(rocks_.db().NewIterator(read_, rocks_.family(family_)));
  rows_->Seek(ToSlice(prefix_));
  Look();
}

std::string_view Rows::key() const {
  const std::string_view key = ToView(rows_->key());
  return in_copies_ ? OriginalKey(key) : key;
}

std::string_view Rows::value() const {
  return ToView(rows_->value());
}

void Rows::Next() {
  const MustHaveMemory here;
  if (IsKeptTwice(family_) && !in_copies_) last_ = key();
  rows_->Next();
  Look();
}

void Rows::Look() {
  row_ = rows_->Valid() && rows_->key().starts_with(ToSlice(prefix_));
  if (row_ || rows_->Valid() || in_copies_ || !rows_->status().IsCorruption() || !IsKeptTwice(family_))
    return;
  rocks_.TellOfDamage(family_);
  in_copies_ = true;
  prefix_ = CopyKey(family_, prefix_);
  const std::string behind = last_.empty() ? prefix_ : CopyKey(family_, last_);
  rows_.reset(rocks_.db().NewIterator(read_, rocks_.family(Family::kCopies)));
  rows_->Seek(behind);
  if (!last_.empty() && rows_->Valid() && rows_->key() == behind) rows_->Next();
  row_ = rows_->Valid() && rows_->key().starts_with(ToSlice(prefix_));
}

StoreResult<void> Rocks::Reset(Family which) {
  const auto index = static_cast<std::size_t>(which);
  const auto& [name, options] = descriptors_[index];
  rocksdb::ColumnFamilyHandle* fresh = nullptr;
  if (const auto dropped = db_->DropColumnFamily(families_[index]); !dropped.ok())
    return std::unexpected(ErrorFrom(dropped, "to drop " + name));
  db_->DestroyColumnFamilyHandle(families_[index]);
  families_[index] = nullptr;
  if (const auto made = db_->CreateColumnFamily(options, name, &fresh); !made.ok())
    return std::unexpected(ErrorFrom(made, "to make " + name));
  families_[index] = fresh;
  return {};
}

rocksdb::ReadOptions InOrder() {
  rocksdb::ReadOptions read;
  read.ignore_range_deletions = true;
  return read;
}

StoreError ErrorFrom(const rocksdb::Status& status, std::string_view doing) {
  StoreErrorCode code = StoreErrorCode::kIo;
  if (status.IsIncomplete()) code = StoreErrorCode::kStalled;
  if (status.IsNotFound()) code = StoreErrorCode::kNotFound;
  if (status.IsCorruption()) code = StoreErrorCode::kCorruption;
  if (status.IsInvalidArgument()) code = StoreErrorCode::kFormat;
  return {code, "the store failed " + std::string(doing) + ": " + status.ToString()};
}

}  // namespace weir::storage
