// The machine's disk with faults in it, in place of the machine's in a store's options: fails, or holds, the syncs of the
// files it is told of. What was written is written, as on a disk whose sync fails. Any thread.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "storage/disk.h"

namespace weir::tests {

class FaultyDisk : public storage::Disk {
 public:
  static constexpr int kForGood = std::numeric_limits<int>::max();

  // The next `count` syncs of files whose names end so fail with EIO; those after them succeed, which is what a kernel
  // does that has dropped the pages it could not write. The same for writes, with ENOSPC.
  void FailSyncs(const std::string& ending, int count);
  void FailWrites(const std::string& ending, int count);

  // The next `count` files that are asked lie in blocks that are not their own.
  void SayNotAllocated(int count);

  // While held, a sync of a file whose name ends so does not return.
  void HoldSyncs(const std::string& ending);
  void ReleaseSyncs();

  // From here on nothing reaches the disk, and whoever writes is told that it did: what is on it is what `kill -9` leaves
  // at this moment. For good; files whose names end in `spared` go on.
  void Kill(const std::string& spared);

  storage::DiskResult<std::unique_ptr<storage::DiskFile>> Open(const std::filesystem::path& file,
                                                               Access access) override;
  storage::DiskResult<void> MakeDirectory(const std::filesystem::path& directory) override;
  storage::DiskResult<std::optional<Facts>> Look(const std::filesystem::path& path) const override;
  storage::DiskResult<void> MayUse(const std::filesystem::path& directory, bool write) const override;
  storage::DiskResult<std::vector<std::string>> List(const std::filesystem::path& directory) const override;
  storage::DiskResult<void> Remove(const std::filesystem::path& file) override;
  storage::DiskResult<void> RemoveDirectory(const std::filesystem::path& directory) override;
  storage::DiskResult<void> Rename(const std::filesystem::path& from,
                                   const std::filesystem::path& to) override;
  storage::DiskResult<void> Link(const std::filesystem::path& file,
                                 const std::filesystem::path& name) override;
  storage::DiskResult<void> SyncDirectory(const std::filesystem::path& directory) override;
  storage::DiskResult<std::uint64_t> FreeBytes(const std::filesystem::path& path) const override;
  storage::DiskResult<std::unique_ptr<storage::DiskLock>> Lock(const std::filesystem::path& file,
                                                               LockMode mode) override;

 private:
  friend class FaultyFile;
  struct Faults {
    int syncs = 0;
    int writes = 0;
  };
  bool IsLost(std::string_view file) const;
  // Uses one up, if there is one for this file.
  bool Fails(std::string_view file, int Faults::* kind);
  void WaitWhileHeld(std::string_view file);
  bool IsAllocated();

  const std::shared_ptr<storage::Disk> machine_ = storage::MachineDisk();
  mutable std::mutex mutex_;
  std::condition_variable released_;
  std::map<std::string, Faults> faults_;  // under mutex_; by ending
  int not_allocated_ = 0;                 // under mutex_
  std::string held_;                      // under mutex_; empty: none are
  std::optional<std::string> spared_;     // under mutex_; killed when there is one
};

}  // namespace weir::tests
