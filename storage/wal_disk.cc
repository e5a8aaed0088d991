#include "storage/wal_disk.h"

#include <algorithm>
#include <cerrno>
#include <set>
#include <utility>

#include "storage/check.h"
#include "storage/limits.h"
#include "storage/wal_appender.h"
#include "storage/wal_name.h"

namespace weir::storage {

namespace fs = std::filesystem;

namespace {

// A log that is appended to, as a file.
class AppendedFile final : public DiskFile {
 public:
  explicit AppendedFile(std::shared_ptr<WalAppender> appender) : appender_(std::move(appender)) {}
  ~AppendedFile() override { appender_->Close(); }
  AppendedFile(const AppendedFile&) = delete;
  AppendedFile& operator=(const AppendedFile&) = delete;

  DiskResult<void> WriteAt(std::uint64_t offset, std::string_view bytes) override {
    WEIR_CHECK_EQ(offset, appender_->bytes());
    return appender_->Append(bytes);
  }
  DiskResult<void> Flush() override { return appender_->Keep(); }
  DiskResult<void> Sync() override { return appender_->Sync(); }
  DiskResult<std::uint64_t> Size() const override { return appender_->bytes(); }
  // RocksDB lets go of what it believes to have reserved behind the log.
  DiskResult<void> Resize(std::uint64_t bytes) override {
    WEIR_CHECK_GE(bytes, appender_->bytes());
    return {};
  }
  DiskResult<std::size_t> ReadAt(std::uint64_t, std::span<char>) const override {
    return std::unexpected(DiskError{.code = EBADF, .message = appender_->log().string() + " is written to"});
  }
  void Reserve(std::uint64_t, std::uint64_t) override {}
  void StartWriting(std::uint64_t, std::uint64_t) override {}
  void WillRead(std::uint64_t, std::uint64_t) const override {}
  void WillNotRead(std::uint64_t, std::uint64_t) const override {}

 private:
  const std::shared_ptr<WalAppender> appender_;
};

// The first segment comes last: a log without it is none.
DiskResult<std::vector<fs::path>> PiecesOf(const Disk& disk, const fs::path& log) {
  const auto found = FindWalPieces(disk, log);
  if (!found) return std::unexpected(found.error());
  std::vector<fs::path> pieces;
  if (found->tail) pieces.push_back(*found->tail);
  for (auto segment = found->segments.rbegin(); segment != found->segments.rend(); ++segment)
    pieces.push_back(segment->second);
  return pieces;
}

std::string PieceName(const fs::path& piece, const fs::path& log, const fs::path& as) {
  return as.string() + piece.string().substr(log.string().size());
}

std::uint64_t SegmentBytes(std::size_t memtable_bytes) {
  const std::uint64_t share = memtable_bytes / limits::kWalSegmentsPerMemtable;
  return std::clamp(share / kWalBlockBytes * kWalBlockBytes, limits::kWalSegmentBytesMin,
                    limits::kWalSegmentBytesMax);
}

}  // namespace

std::shared_ptr<WalDisk> OnWalDisk(const StoreOptions& options) {
  return std::make_shared<WalDisk>(options.disk,
                                   WalPoolOptions{.folder = options.directory / kWalPoolFolder,
                                                  .segment_bytes = SegmentBytes(options.memtable_bytes),
                                                  .synced = options.sync,
                                                  .new_life = RandomWalLife});
}

WalDisk::WalDisk(std::shared_ptr<Disk> below, WalPoolOptions pool)
    : below_(std::move(below)), pool_(below_, std::move(pool)) {}

std::vector<std::string> WalDisk::TakeNotes() {
  const std::scoped_lock lock(mutex_);
  return std::exchange(notes_, {});
}

std::shared_ptr<WalAppender> WalDisk::Appending(const fs::path& log) const {
  const std::scoped_lock lock(mutex_);
  const auto newest = newest_.find(log.parent_path());
  return newest != newest_.end() && newest->second->log() == log ? newest->second : nullptr;
}

void WalDisk::Forget(const fs::path& log) {
  const std::scoped_lock lock(mutex_);
  chains_.erase(log);
  const auto newest = newest_.find(log.parent_path());
  if (newest != newest_.end() && newest->second->log() == log) newest_.erase(newest);
}

DiskResult<std::shared_ptr<const WalChain>> WalDisk::ChainOf(const fs::path& log) const {
  {
    const std::scoped_lock lock(mutex_);
    if (const auto known = chains_.find(log); known != chains_.end()) return known->second;
  }
  auto read = ReadWalChain(*below_, log);
  if (!read) return std::unexpected(read.error());
  auto chain = std::make_shared<const WalChain>(*std::move(read));
  const std::scoped_lock lock(mutex_);
  if (!chains_.emplace(log, chain).second || chain->dropped == 0) return chain;
  notes_.push_back(
      "the end of the write-ahead log " + log.string() +
      " was never synced and only parts of it are there: it is dropped, and nothing of it had been "
      "acknowledged");
  return chain;
}

DiskResult<std::unique_ptr<DiskFile>> WalDisk::Begin(const fs::path& log) {
  if (const auto found = Look(log); found && *found) {
    if (auto removed = Remove(log); !removed) return std::unexpected(removed.error());
  }
  std::shared_ptr<WalAppender> previous;
  {
    const std::scoped_lock lock(mutex_);
    const auto newest = newest_.find(log.parent_path());
    // A database that is opened anew may give a number out again.
    if (newest != newest_.end() && WalNumber(newest->second->log()) < WalNumber(log))
      previous = newest->second;
  }
  auto appender = WalAppender::Start(below_, pool_, log, std::move(previous));
  if (!appender) return std::unexpected(appender.error());
  {
    const std::scoped_lock lock(mutex_);
    newest_[log.parent_path()] = *appender;
  }
  pool_.Serve(*appender);
  return std::make_unique<AppendedFile>(*std::move(appender));
}

DiskResult<std::unique_ptr<DiskFile>> WalDisk::Open(const fs::path& file, Access access) {
  if (!IsWal(file)) return below_->Open(file, access);
  if (access == Access::kReplace) return Begin(file);
  const auto chain = ChainOf(file);
  if (!chain) return std::unexpected(chain.error());
  if ((*chain)->damage && access != Access::kOverDamage)
    return std::unexpected(DiskError{.code = EBADMSG, .message = *(*chain)->damage});
  return OpenWalChain(*below_, *chain);
}

DiskResult<std::optional<Disk::Facts>> WalDisk::Look(const fs::path& path) const {
  auto facts = below_->Look(path);
  if (!IsWal(path) || !facts || !*facts || (*facts)->directory) return facts;
  if (const auto appender = Appending(path)) {
    (*facts)->bytes = appender->bytes();
    return facts;
  }
  const auto chain = ChainOf(path);
  if (!chain) return std::unexpected(chain.error());
  (*facts)->bytes = (*chain)->bytes;
  return facts;
}

DiskResult<std::vector<std::string>> WalDisk::List(const fs::path& directory) const {
  auto names = below_->List(directory);
  if (!names) return names;
  // What is left of a log without its first segment is nothing but files.
  const std::set<std::string> all(names->begin(), names->end());
  std::erase_if(*names, [&](const std::string& name) {
    return IsWalPiece(name) && all.contains(WalOf(name).filename().native());
  });
  return names;
}

DiskResult<void> WalDisk::Remove(const fs::path& file) {
  if (!IsWal(file)) return below_->Remove(file);
  Forget(file);
  const auto pieces = PiecesOf(*below_, file);
  if (!pieces) return std::unexpected(pieces.error());
  if (pieces->empty()) return below_->Remove(file);
  for (const fs::path& piece : *pieces) {
    auto removed = piece == WalTail(file) ? below_->Remove(piece) : pool_.Return(piece);
    if (!removed) return removed;
  }
  return {};
}

DiskResult<void> WalDisk::Rename(const fs::path& from, const fs::path& to) {
  if (!IsWal(from)) return below_->Rename(from, to);
  WEIR_CHECK(IsWal(to));
  Forget(from);
  Forget(to);
  const auto pieces = PiecesOf(*below_, from);
  if (!pieces) return std::unexpected(pieces.error());
  for (const fs::path& piece : *pieces) {
    if (auto renamed = below_->Rename(piece, PieceName(piece, from, to)); !renamed) return renamed;
  }
  return {};
}

DiskResult<void> WalDisk::Link(const fs::path& file, const fs::path& name) {
  if (!IsWal(file)) return below_->Link(file, name);
  const auto pieces = PiecesOf(*below_, file);
  if (!pieces) return std::unexpected(pieces.error());
  for (const fs::path& piece : *pieces) {
    if (auto linked = below_->Link(piece, PieceName(piece, file, name)); !linked) return linked;
  }
  return {};
}

DiskResult<void> WalDisk::MakeDirectory(const fs::path& directory) {
  return below_->MakeDirectory(directory);
}
DiskResult<void> WalDisk::MayUse(const fs::path& directory, bool write) const {
  return below_->MayUse(directory, write);
}
DiskResult<void> WalDisk::RemoveDirectory(const fs::path& directory) {
  return below_->RemoveDirectory(directory);
}
DiskResult<void> WalDisk::SyncDirectory(const fs::path& directory) {
  return below_->SyncDirectory(directory);
}
DiskResult<std::uint64_t> WalDisk::FreeBytes(const fs::path& path) const {
  return below_->FreeBytes(path);
}
DiskResult<std::unique_ptr<DiskLock>> WalDisk::Lock(const fs::path& file, LockMode mode) {
  return below_->Lock(file, mode);
}

}  // namespace weir::storage
