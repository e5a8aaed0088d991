// The disk: the one seam below everything that is stored. Whatever the store keeps goes through a Disk, RocksDB's files
// included (disk_file_system.h), so that another disk in its place shows what an acknowledged event outlives: one that
// forgets what was not synced, fails the n-th write, is full. The machine's is the only one in production.
//
// Any thread may use a Disk. What a file or a directory holds is durable after Sync or SyncDirectory and not before, as
// POSIX has it: a name is its directory's, the bytes are the file's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace weir::storage {

struct DiskError {
  int code;             // errno
  std::string message;  // "cannot write /var/lib/weir/store/000012.log: No space left on device"
};

template <typename T>
using DiskResult = std::expected<T, DiskError>;

// An open file. One thread writes; any may read and sync beside it. Closed by the destructor.
class DiskFile {
 public:
  DiskFile() = default;
  virtual ~DiskFile() = default;
  DiskFile(const DiskFile&) = delete;
  DiskFile& operator=(const DiskFile&) = delete;

  // How many bytes were read: fewer than asked for only at the end of the file.
  virtual DiskResult<std::size_t> ReadAt(std::uint64_t offset, std::span<char> into) const = 0;
  // All of it, or an error; after an error any part of it may be there.
  virtual DiskResult<void> WriteAt(std::uint64_t offset, std::string_view bytes) = 0;
  // What was written outlives this process. Only a file that gathers what it is given has anything to do for it.
  virtual DiskResult<void> Flush() { return {}; }
  // What was written is durable, and so is the size that reading it needs. After an error nobody knows, and a second
  // call must not be believed: the kernel drops what it could not write.
  virtual DiskResult<void> Sync() = 0;
  virtual DiskResult<std::uint64_t> Size() const = 0;
  // Also lets go of what was reserved behind it.
  virtual DiskResult<void> Resize(std::uint64_t bytes) = 0;

  // Whether all of it lies in blocks of its own that have been written, so that writing over it needs no room and changes
  // nothing but them. false also where the file system does not say.
  virtual DiskResult<bool> IsAllocated() const { return true; }

  // Hints. Space is taken before it is needed; the size stays.
  virtual void Reserve(std::uint64_t offset, std::uint64_t bytes) = 0;
  // Begins to write back what is written, without waiting.
  virtual void StartWriting(std::uint64_t offset, std::uint64_t bytes) = 0;
  virtual void WillRead(std::uint64_t offset, std::uint64_t bytes) const = 0;
  virtual void WillNotRead(std::uint64_t offset, std::uint64_t bytes) const = 0;
};

// Held until it is destroyed, or the process ends.
class DiskLock {
 public:
  DiskLock() = default;
  virtual ~DiskLock() = default;
  DiskLock(const DiskLock&) = delete;
  DiskLock& operator=(const DiskLock&) = delete;
};

class Disk {
 public:
  enum class Access : std::uint8_t {
    kRead,     // it has to be there
    kUpdate,   // made when it is not there; keeps what it holds
    kReplace,  // made when it is not there; begins empty
    // Like kUpdate, past the page cache where the file system can do that: offsets, sizes and memory are whole blocks of
    // kDirectBlockBytes.
    kDirect,
    // Like kRead, also where this disk knows what is read to be damaged: what is there of it, and zeros.
    kOverDamage,
  };
  static constexpr std::size_t kDirectBlockBytes = 4u << 10;
  enum class LockMode : std::uint8_t { kShared, kExclusive };
  struct Facts {
    std::uint64_t bytes = 0;
    bool directory = false;
    std::uint64_t links = 1;
    std::int64_t modified_s = 0;  // Unix time
    bool operator==(const Facts&) const = default;
  };

  Disk() = default;
  virtual ~Disk() = default;
  Disk(const Disk&) = delete;
  Disk& operator=(const Disk&) = delete;

  // Files are made for their owner alone (0600), directories likewise (0700), whatever the umask.
  virtual DiskResult<std::unique_ptr<DiskFile>> Open(const std::filesystem::path& file, Access access) = 0;
  virtual DiskResult<void> MakeDirectory(const std::filesystem::path& directory) = 0;

  // nullopt: there is nothing of that name.
  virtual DiskResult<std::optional<Facts>> Look(const std::filesystem::path& path) const = 0;
  // Whether this process may look into the directory, and with `write` make files in it.
  virtual DiskResult<void> MayUse(const std::filesystem::path& directory, bool write) const = 0;
  // Names, in no order, without "." and "..".
  virtual DiskResult<std::vector<std::string>> List(const std::filesystem::path& directory) const = 0;
  virtual DiskResult<void> Remove(const std::filesystem::path& file) = 0;
  virtual DiskResult<void> RemoveDirectory(const std::filesystem::path& directory) = 0;  // an empty one
  virtual DiskResult<void> Rename(const std::filesystem::path& from, const std::filesystem::path& to) = 0;
  virtual DiskResult<void> Link(const std::filesystem::path& file, const std::filesystem::path& name) = 0;
  virtual DiskResult<void> SyncDirectory(const std::filesystem::path& directory) = 0;
  // What may still be written by this process's user, bytes.
  virtual DiskResult<std::uint64_t> FreeBytes(const std::filesystem::path& path) const = 0;

  // nullptr: somebody else holds it. The file is made when it is not there; a shared lock does without write access.
  virtual DiskResult<std::unique_ptr<DiskLock>> Lock(const std::filesystem::path& file, LockMode mode) = 0;
};

const std::shared_ptr<Disk>& MachineDisk();

// All of a file's bytes.
DiskResult<std::string> ReadWhole(Disk& disk, const std::filesystem::path& file);
// A directory with everything in it; one that is not there is no error.
DiskResult<void> RemoveTree(Disk& disk, const std::filesystem::path& directory);
bool Exists(const Disk& disk, const std::filesystem::path& path);
// 0 for what is not there.
std::uint64_t BytesOf(const Disk& disk, const std::filesystem::path& file);
// Of the files in `directory` whose names end so, in their order; none where it cannot be listed.
std::vector<std::filesystem::path> FilesEndingIn(const Disk& disk, const std::filesystem::path& directory,
                                                 std::string_view ending);

}  // namespace weir::storage
