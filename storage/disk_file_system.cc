#include "storage/disk_file_system.h"

#include <rocksdb/file_system.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "storage/patience.h"
#include "storage/trash.h"
#include "storage/wal_name.h"

// NOLINTBEGIN(clang-analyzer-cplusplus.NewDeleteLeaks): the analyzer loses sight of the text of a status that is returned.
namespace weir::storage {

struct DiskEnv::State {
  State(std::shared_ptr<Disk> on, OnFailure tell, Trash* into, Disk::Access read_logs)
      : disk(std::move(on)), on_failure(std::move(tell)), trash(into), logs(read_logs) {}

  void Freeze(const DiskError& error) {
    if (!frozen.exchange(true, std::memory_order_acq_rel) && on_failure) on_failure(error);
  }
  bool IsFrozen() const { return frozen.load(std::memory_order_acquire); }

  const std::shared_ptr<Disk> disk;
  const OnFailure on_failure;
  Trash* const trash;
  const Disk::Access logs;
  Patience patience;
  std::atomic<bool> frozen{false};
};

namespace {

using rocksdb::FileOptions;
using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;
using rocksdb::Slice;

thread_local bool sync_follows = false;

IOStatus StatusOf(const DiskError& error) {
  switch (error.code) {
    case ENOENT:
      return IOStatus::PathNotFound(error.message);
    case ENOSPC:
      return IOStatus::NoSpace(error.message);
    case EXDEV:
    case EMLINK:
      return IOStatus::NotSupported(error.message);
    case EBADMSG:
      return IOStatus::Corruption(error.message);
    default:
      return IOStatus::IOError(error.message);
  }
}
template <typename T>
IOStatus StatusOf(const DiskResult<T>& result) {
  return result ? IOStatus::OK() : StatusOf(result.error());
}

std::string_view FileName(std::string_view path) {
  return path.substr(path.rfind('/') + 1);
}

enum class FailedWrite : std::uint8_t {
  kIsTold,    // a table or a temporary file: RocksDB gives it up, and makes it again
  kFreezes,   // the log and the list of tables, which it goes on using
  kIsIgnored  // its diary, which it goes on using too and nobody needs
};
FailedWrite WhenFailed(std::string_view path) {
  const std::string_view name = FileName(path);
  if (name.ends_with(".log") || name.starts_with("MANIFEST-")) return FailedWrite::kFreezes;
  return name.starts_with("LOG") ? FailedWrite::kIsIgnored : FailedWrite::kIsTold;
}

class SequentialFile final : public rocksdb::FSSequentialFile {
 public:
  explicit SequentialFile(std::unique_ptr<DiskFile> file) : file_(std::move(file)) {}

  IOStatus Read(std::size_t bytes, const IOOptions&, Slice* result, char* scratch, IODebugContext*) override {
    const auto got = file_->ReadAt(at_, {scratch, bytes});
    if (!got) return StatusOf(got);
    at_ += *got;
    *result = Slice(scratch, *got);
    return IOStatus::OK();
  }
  IOStatus Skip(std::uint64_t bytes) override {
    at_ += bytes;
    return IOStatus::OK();
  }
  IOStatus InvalidateCache(std::size_t offset, std::size_t bytes) override {
    file_->WillNotRead(offset, bytes);
    return IOStatus::OK();
  }

 private:
  const std::unique_ptr<DiskFile> file_;
  std::uint64_t at_ = 0;
};

class RandomAccessFile final : public rocksdb::FSRandomAccessFile {
 public:
  explicit RandomAccessFile(std::unique_ptr<DiskFile> file) : file_(std::move(file)) {}

  IOStatus Read(std::uint64_t offset, std::size_t bytes, const IOOptions&, Slice* result, char* scratch,
                IODebugContext*) const override {
    const auto got = file_->ReadAt(offset, {scratch, bytes});
    if (!got) return StatusOf(got);
    *result = Slice(scratch, *got);
    return IOStatus::OK();
  }
  IOStatus Prefetch(std::uint64_t offset, std::size_t bytes, const IOOptions&, IODebugContext*) override {
    file_->WillRead(offset, bytes);
    return IOStatus::OK();
  }
  IOStatus InvalidateCache(std::size_t offset, std::size_t bytes) override {
    file_->WillNotRead(offset, bytes);
    return IOStatus::OK();
  }

 private:
  const std::unique_ptr<DiskFile> file_;
};

// Appends behind what is there.
class WritableFile final : public rocksdb::FSWritableFile {
 public:
  WritableFile(std::shared_ptr<DiskEnv::State> state, FailedWrite when_failed, std::unique_ptr<DiskFile> file,
               std::uint64_t bytes)
      : state_(std::move(state)), when_failed_(when_failed), file_(std::move(file)), bytes_(bytes) {}

  IOStatus Append(const Slice& data, const IOOptions&, IODebugContext*) override { return Append(data); }
  IOStatus Append(const Slice& data, const IOOptions&, const rocksdb::DataVerificationInfo&,
                  IODebugContext*) override {
    return Append(data);
  }
  IOStatus Flush(const IOOptions&, IODebugContext*) override {
    if (sync_follows || state_->IsFrozen()) return IOStatus::OK();
    return Done(file_->Flush());
  }
  IOStatus Sync(const IOOptions&, IODebugContext*) override {
    if (state_->IsFrozen()) return IOStatus::OK();
    return Done(file_->Sync());
  }
  bool IsSyncThreadSafe() const override { return true; }
  IOStatus Truncate(std::uint64_t bytes, const IOOptions&, IODebugContext*) override {
    if (state_->IsFrozen()) return IOStatus::OK();
    bytes_ = bytes;
    return Done(file_->Resize(bytes));
  }
  IOStatus Close(const IOOptions&, IODebugContext*) override {
    if (!std::exchange(reserved_, false) || state_->IsFrozen()) return IOStatus::OK();
    return Done(file_->Resize(bytes_));
  }
  std::uint64_t GetFileSize(const IOOptions&, IODebugContext*) override { return bytes_; }
  IOStatus RangeSync(std::uint64_t offset, std::uint64_t bytes, const IOOptions&, IODebugContext*) override {
    if (!state_->IsFrozen()) file_->StartWriting(offset, bytes);
    return IOStatus::OK();
  }
  IOStatus Allocate(std::uint64_t offset, std::uint64_t bytes, const IOOptions&, IODebugContext*) override {
    if (state_->IsFrozen()) return IOStatus::OK();
    reserved_ = true;
    file_->Reserve(offset, bytes);
    return IOStatus::OK();
  }
  IOStatus InvalidateCache(std::size_t offset, std::size_t bytes) override {
    file_->WillNotRead(offset, bytes);
    return IOStatus::OK();
  }

 private:
  IOStatus Append(const Slice& data) {
    if (state_->IsFrozen()) return IOStatus::OK();
    IOStatus status = Done(file_->WriteAt(bytes_, {data.data(), data.size()}));
    if (status.ok()) bytes_ += data.size();
    return status;
  }
  IOStatus Done(const DiskResult<void>& result) {
    if (result || when_failed_ == FailedWrite::kIsTold) return StatusOf(result);
    if (when_failed_ == FailedWrite::kFreezes) state_->Freeze(result.error());
    return IOStatus::OK();
  }

  const std::shared_ptr<DiskEnv::State> state_;
  const FailedWrite when_failed_;
  const std::unique_ptr<DiskFile> file_;
  std::uint64_t bytes_;
  bool reserved_ = false;
};

class Directory final : public rocksdb::FSDirectory {
 public:
  Directory(std::shared_ptr<DiskEnv::State> state, std::string path)
      : state_(std::move(state)), path_(std::move(path)) {}

  // What it names may be the log, so a failure is the log's.
  IOStatus Fsync(const IOOptions&, IODebugContext*) override {
    if (state_->IsFrozen()) return IOStatus::OK();
    if (const auto synced = state_->disk->SyncDirectory(path_); !synced) state_->Freeze(synced.error());
    return IOStatus::OK();
  }
  std::size_t GetUniqueId(char*, std::size_t) const override { return 0; }

 private:
  const std::shared_ptr<DiskEnv::State> state_;
  const std::string path_;
};

class Lock final : public rocksdb::FileLock {
 public:
  explicit Lock(std::unique_ptr<DiskLock> lock) : lock_(std::move(lock)) {}

 private:
  std::unique_ptr<DiskLock> lock_;
};

class DiskFileSystem final : public rocksdb::FileSystem {
 public:
  explicit DiskFileSystem(std::shared_ptr<DiskEnv::State> state) : state_(std::move(state)) {}
  static const char* kClassName() { return "DiskFileSystem"; }
  const char* Name() const override { return kClassName(); }

  // For the loggers it makes.
  void BelongTo(rocksdb::Env* env) { env_ = env; }

  IOStatus NewSequentialFile(const std::string& name, const FileOptions&,
                             std::unique_ptr<rocksdb::FSSequentialFile>* file, IODebugContext*) override {
    return Open<SequentialFile>(name, IsWal(name) ? state_->logs : Disk::Access::kRead, file);
  }
  IOStatus NewRandomAccessFile(const std::string& name, const FileOptions&,
                               std::unique_ptr<rocksdb::FSRandomAccessFile>* file, IODebugContext*) override {
    return Open<RandomAccessFile>(name, Disk::Access::kRead, file);
  }
  IOStatus NewWritableFile(const std::string& name, const FileOptions&,
                           std::unique_ptr<rocksdb::FSWritableFile>* file, IODebugContext*) override {
    return OpenToWrite(name, Disk::Access::kReplace, file);
  }
  IOStatus ReopenWritableFile(const std::string& name, const FileOptions&,
                              std::unique_ptr<rocksdb::FSWritableFile>* file, IODebugContext*) override {
    return OpenToWrite(name, Disk::Access::kUpdate, file);
  }
  IOStatus NewDirectory(const std::string& name, const IOOptions&,
                        std::unique_ptr<rocksdb::FSDirectory>* directory, IODebugContext*) override {
    if (!Exists(disk(), name)) return IOStatus::PathNotFound(name);
    *directory = std::make_unique<Directory>(state_, name);
    return IOStatus::OK();
  }

  IOStatus FileExists(const std::string& name, const IOOptions&, IODebugContext*) override {
    const auto found = disk().Look(name);
    if (!found) return StatusOf(found);
    return *found ? IOStatus::OK() : IOStatus::NotFound(name);
  }
  IOStatus GetChildren(const std::string& name, const IOOptions&, std::vector<std::string>* children,
                       IODebugContext*) override {
    auto names = state_->patience([&] { return disk().List(name); });
    if (!names) return names.error().code == ENOENT ? IOStatus::NotFound(name) : StatusOf(names);
    *children = *std::move(names);
    return IOStatus::OK();
  }
  IOStatus GetFileSize(const std::string& name, const IOOptions&, std::uint64_t* bytes,
                       IODebugContext*) override {
    return Facts(name, [&](const Disk::Facts& facts) { *bytes = facts.bytes; });
  }
  IOStatus GetFileModificationTime(const std::string& name, const IOOptions&, std::uint64_t* seconds,
                                   IODebugContext*) override {
    return Facts(name, [&](const Disk::Facts& facts) {
      *seconds = static_cast<std::uint64_t>(std::max<std::int64_t>(facts.modified_s, 0));
    });
  }
  IOStatus NumFileLinks(const std::string& name, const IOOptions&, std::uint64_t* links,
                        IODebugContext*) override {
    return Facts(name, [&](const Disk::Facts& facts) { *links = facts.links; });
  }
  IOStatus IsDirectory(const std::string& name, const IOOptions&, bool* is, IODebugContext*) override {
    return Facts(name, [&](const Disk::Facts& facts) { *is = facts.directory; });
  }
  IOStatus GetFreeSpace(const std::string& name, const IOOptions&, std::uint64_t* bytes,
                        IODebugContext*) override {
    const auto free = disk().FreeBytes(name);
    if (free) *bytes = *free;
    return StatusOf(free);
  }

  IOStatus DeleteFile(const std::string& name, const IOOptions&, IODebugContext*) override {
    return Unless([&]() -> DiskResult<void> {
      if (state_->trash != nullptr && !IsWal(name) && state_->trash->Take(name)) return {};
      return disk().Remove(name);
    });
  }
  IOStatus DeleteDir(const std::string& name, const IOOptions&, IODebugContext*) override {
    return Unless([&] { return disk().RemoveDirectory(name); });
  }
  IOStatus CreateDir(const std::string& name, const IOOptions&, IODebugContext*) override {
    return Unless([&] { return disk().MakeDirectory(name); });
  }
  IOStatus CreateDirIfMissing(const std::string& name, const IOOptions&, IODebugContext*) override {
    const IOStatus made = Unless([&] { return disk().MakeDirectory(name); });
    const auto found = disk().Look(name);
    return found && *found && (*found)->directory ? IOStatus::OK() : made;
  }
  // The name that says which list of tables counts: RocksDB cannot tell whether it took.
  IOStatus RenameFile(const std::string& from, const std::string& to, const IOOptions&,
                      IODebugContext*) override {
    if (state_->IsFrozen()) return IOStatus::OK();
    const auto renamed = disk().Rename(from, to);
    if (renamed || FileName(to) != "CURRENT") return StatusOf(renamed);
    state_->Freeze(renamed.error());
    return IOStatus::OK();
  }
  IOStatus LinkFile(const std::string& from, const std::string& to, const IOOptions&,
                    IODebugContext*) override {
    return Unless([&] { return disk().Link(from, to); });
  }
  IOStatus Truncate(const std::string& name, std::size_t bytes, const IOOptions&, IODebugContext*) override {
    return Unless([&]() -> DiskResult<void> {
      const auto file = disk().Open(name, Disk::Access::kUpdate);
      return file ? (*file)->Resize(bytes) : std::unexpected(file.error());
    });
  }

  IOStatus LockFile(const std::string& name, const IOOptions&, rocksdb::FileLock** lock,
                    IODebugContext*) override {
    auto taken = disk().Lock(name, Disk::LockMode::kExclusive);
    if (!taken) return StatusOf(taken);
    if (!*taken) return IOStatus::IOError("another database has locked " + name);
    *lock = new Lock(*std::move(taken));
    return IOStatus::OK();
  }
  IOStatus UnlockFile(rocksdb::FileLock* lock, const IOOptions&, IODebugContext*) override {
    delete lock;
    return IOStatus::OK();
  }
  IOStatus NewLogger(const std::string& name, const IOOptions&, std::shared_ptr<rocksdb::Logger>* logger,
                     IODebugContext*) override {
    const rocksdb::Status made = rocksdb::NewEnvLogger(name, env_, logger);
    return made.ok() ? IOStatus::OK() : IOStatus::IOError(made.ToString());
  }
  IOStatus GetAbsolutePath(const std::string& name, const IOOptions&, std::string* absolute,
                           IODebugContext*) override {
    std::error_code error;
    *absolute = std::filesystem::absolute(name, error).string();
    return error ? IOStatus::IOError(name, error.message()) : IOStatus::OK();
  }
  IOStatus GetTestDirectory(const IOOptions&, std::string*, IODebugContext*) override {
    return IOStatus::NotSupported("a directory for tests");
  }

 private:
  Disk& disk() const { return *state_->disk; }

  // A change of the directory that nobody is told has failed once the disk is frozen.
  template <typename Change>
  IOStatus Unless(const Change& change) const {
    return state_->IsFrozen() ? IOStatus::OK() : StatusOf(change());
  }

  template <typename File, typename Interface>
  IOStatus Open(const std::string& name, Disk::Access access, std::unique_ptr<Interface>* file) {
    auto opened = state_->patience([&] { return disk().Open(name, access); });
    if (!opened) return StatusOf(opened);
    *file = std::make_unique<File>(*std::move(opened));
    return IOStatus::OK();
  }

  IOStatus OpenToWrite(const std::string& name, Disk::Access access,
                       std::unique_ptr<rocksdb::FSWritableFile>* file) {
    if (state_->IsFrozen())
      return IOStatus::IOError("the disk has failed; nothing is written any more", name);
    auto opened = state_->patience([&] { return disk().Open(name, access); });
    if (!opened) return StatusOf(opened);
    const auto bytes = (*opened)->Size();
    if (!bytes) return StatusOf(bytes);
    *file = std::make_unique<WritableFile>(state_, WhenFailed(name), *std::move(opened), *bytes);
    return IOStatus::OK();
  }

  template <typename Take>
  IOStatus Facts(const std::string& name, const Take& take) const {
    const auto found = disk().Look(name);
    if (!found) return StatusOf(found);
    if (!*found) return IOStatus::PathNotFound(name);
    take(**found);
    return IOStatus::OK();
  }

  const std::shared_ptr<DiskEnv::State> state_;
  rocksdb::Env* env_ = nullptr;
};

}  // namespace

SyncFollows::SyncFollows(bool follows) : before_(std::exchange(sync_follows, follows)) {}
SyncFollows::~SyncFollows() {
  sync_follows = before_;
}

DiskEnv::DiskEnv(std::shared_ptr<Disk> disk, OnFailure on_failure, Trash* trash, Disk::Access logs)
    : state_(std::make_shared<State>(std::move(disk), std::move(on_failure), trash, logs)) {
  auto files = std::make_shared<DiskFileSystem>(state_);
  env_ = rocksdb::NewCompositeEnv(files);
  files->BelongTo(env_.get());
}

DiskEnv::~DiskEnv() = default;

void DiskEnv::BePatient() {
  state_->patience.Begin();
}
void DiskEnv::GiveUp() {
  state_->patience.GiveUp();
}
bool DiskEnv::frozen() const {
  return state_->IsFrozen();
}

}  // namespace weir::storage
// NOLINTEND(clang-analyzer-cplusplus.NewDeleteLeaks)
