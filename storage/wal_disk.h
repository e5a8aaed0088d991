// The disk that RocksDB's write-ahead logs are on: a log is one file to whoever asks, and segments to the disk below
// (wal_frame.h). Everything else passes through.
//
// What is there of a log is read once and remembered until the log is removed or renamed: logs that are found are not
// written to any more. Any thread.
//
// Internal to storage/.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "storage/disk.h"
#include "storage/event_store.h"
#include "storage/wal_chain.h"
#include "storage/wal_pool.h"

namespace weir::storage {

class WalDisk final : public Disk {
 public:
  WalDisk(std::shared_ptr<Disk> below, WalPoolOptions pool);

  const std::shared_ptr<Disk>& below() const { return below_; }
  WalPool& pool() { return pool_; }

  // What the operator is told about the ends of the logs that were read: each once.
  std::vector<std::string> TakeNotes();

  // kUpdate gives a log that was found to whoever believes to cut off what was reserved behind it; kReplace begins one.
  DiskResult<std::unique_ptr<DiskFile>> Open(const std::filesystem::path& file, Access access) override;
  DiskResult<std::optional<Facts>> Look(const std::filesystem::path& path) const override;
  DiskResult<std::vector<std::string>> List(const std::filesystem::path& directory) const override;
  DiskResult<void> Remove(const std::filesystem::path& file) override;
  DiskResult<void> Rename(const std::filesystem::path& from, const std::filesystem::path& to) override;
  DiskResult<void> Link(const std::filesystem::path& file, const std::filesystem::path& name) override;

  DiskResult<void> MakeDirectory(const std::filesystem::path& directory) override;
  DiskResult<void> MayUse(const std::filesystem::path& directory, bool write) const override;
  DiskResult<void> RemoveDirectory(const std::filesystem::path& directory) override;
  DiskResult<void> SyncDirectory(const std::filesystem::path& directory) override;
  DiskResult<std::uint64_t> FreeBytes(const std::filesystem::path& path) const override;
  DiskResult<std::unique_ptr<DiskLock>> Lock(const std::filesystem::path& file, LockMode mode) override;

 private:
  DiskResult<std::shared_ptr<const WalChain>> ChainOf(const std::filesystem::path& log) const;
  std::shared_ptr<WalAppender> Appending(const std::filesystem::path& log) const;
  DiskResult<std::unique_ptr<DiskFile>> Begin(const std::filesystem::path& log);
  void Forget(const std::filesystem::path& log);

  const std::shared_ptr<Disk> below_;
  WalPool pool_;
  mutable std::mutex mutex_;
  mutable std::map<std::filesystem::path, std::shared_ptr<const WalChain>> chains_;  // under mutex_
  mutable std::vector<std::string> notes_;                                           // likewise
  // The newest log of this process, and of a database: a temporary one may be open beside the store's.
  std::map<std::filesystem::path, std::shared_ptr<WalAppender>> newest_;  // under mutex_, by directory
};

// The disk of `options` with the logs of its store on it.
std::shared_ptr<WalDisk> OnWalDisk(const StoreOptions& options);

}  // namespace weir::storage
