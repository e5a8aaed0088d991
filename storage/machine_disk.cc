#include <dirent.h>
#include <fcntl.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include "storage/disk.h"

namespace weir::storage {
namespace {

namespace fs = std::filesystem;

constexpr mode_t kOwnersFile = S_IRUSR | S_IWUSR;
constexpr mode_t kOwnersDirectory = S_IRWXU;

std::unexpected<DiskError> Failed(const char* doing, const fs::path& path, int code = errno) {
  return std::unexpected(DiskError{
      .code = code,
      .message = "cannot " + std::string(doing) + " " + path.string() + ": " + std::strerror(code)});
}

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  int get() const { return fd_; }
  bool open() const { return fd_ >= 0; }

 private:
  int fd_;
};

int FlagsOf(Disk::Access access) {
  switch (access) {
    case Disk::Access::kRead:
    case Disk::Access::kOverDamage:
      return O_RDONLY;
    case Disk::Access::kUpdate:
      return O_RDWR | O_CREAT;
    case Disk::Access::kReplace:
      return O_RDWR | O_CREAT | O_TRUNC;
    case Disk::Access::kDirect:
      return O_RDWR | O_CREAT | O_DIRECT;
  }
  return O_RDONLY;
}

// A file sync that a signal interrupted has not failed.
template <typename Call>
auto Retried(const Call& call) {
  while (true) {
    const auto result = call();
    if (result >= 0 || errno != EINTR) return result;
  }
}

// To root every directory looks writable, also one of the kernel's own that takes no file. One without a name shows it
// and leaves nothing behind; where the file system has none of those, its kind has to do.
DiskResult<void> MayMakeFiles(const fs::path& directory) {
  const Descriptor unnamed(open(directory.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, kOwnersFile));
  if (unnamed.open()) return {};
  const int code = errno;
  if (code == EROFS || code == EACCES || code == EPERM || code == ENOENT)
    return Failed("make a file in", directory, code);
  struct statfs status{};
  if (statfs(directory.c_str(), &status) != 0) return Failed("make a file in", directory);
  const auto kind = static_cast<unsigned long>(status.f_type);
  const bool kernels_own = kind == PROC_SUPER_MAGIC || kind == SYSFS_MAGIC || kind == CGROUP_SUPER_MAGIC ||
                           kind == CGROUP2_SUPER_MAGIC;
  if (kernels_own) return Failed("make a file in", directory, EPERM);
  return {};
}

class MachineFile final : public DiskFile {
 public:
  MachineFile(Descriptor fd, fs::path path) : fd_(std::move(fd)), path_(std::move(path)) {}

  DiskResult<std::size_t> ReadAt(std::uint64_t offset, std::span<char> into) const override {
    std::size_t done = 0;
    while (done < into.size()) {
      const ssize_t got = Retried([&] {
        return pread(fd_.get(), into.data() + done, into.size() - done, static_cast<off_t>(offset + done));
      });
      if (got < 0) return Failed("read", path_);
      if (got == 0) break;
      done += static_cast<std::size_t>(got);
    }
    return done;
  }

  DiskResult<void> WriteAt(std::uint64_t offset, std::string_view bytes) override {
    while (!bytes.empty()) {
      const ssize_t wrote =
          Retried([&] { return pwrite(fd_.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset)); });
      if (wrote <= 0) return Failed("write", path_, wrote < 0 ? errno : ENOSPC);
      bytes.remove_prefix(static_cast<std::size_t>(wrote));
      offset += static_cast<std::uint64_t>(wrote);
    }
    return {};
  }

  DiskResult<void> Sync() override {
    if (Retried([&] { return fdatasync(fd_.get()); }) != 0) return Failed("sync", path_);
    return {};
  }

  DiskResult<std::uint64_t> Size() const override {
    struct stat status{};
    if (fstat(fd_.get(), &status) != 0) return Failed("look at", path_);
    return static_cast<std::uint64_t>(status.st_size);
  }

  DiskResult<void> Resize(std::uint64_t bytes) override {
    if (Retried([&] { return ftruncate(fd_.get(), static_cast<off_t>(bytes)); }) != 0)
      return Failed("resize", path_);
    return {};
  }

  DiskResult<bool> IsAllocated() const override {
    const auto bytes = Size();
    if (!bytes) return std::unexpected(bytes.error());
    constexpr std::uint32_t kNotItsOwn =
        FIEMAP_EXTENT_UNKNOWN | FIEMAP_EXTENT_DELALLOC | FIEMAP_EXTENT_ENCODED | FIEMAP_EXTENT_NOT_ALIGNED |
        FIEMAP_EXTENT_DATA_INLINE | FIEMAP_EXTENT_UNWRITTEN | FIEMAP_EXTENT_SHARED;
    std::uint64_t proven = 0;
    while (proven < *bytes) {
      constexpr std::uint32_t kExtents = 32;
      alignas(fiemap) std::array<char, sizeof(fiemap) + kExtents * sizeof(fiemap_extent)> buffer{};
      auto* const map = reinterpret_cast<fiemap*>(buffer.data());
      map->fm_start = proven;
      map->fm_length = *bytes - proven;
      map->fm_extent_count = kExtents;
      if (Retried([&] { return ioctl(fd_.get(), FS_IOC_FIEMAP, map); }) != 0) return false;
      if (map->fm_mapped_extents == 0) return false;
      for (const fiemap_extent& extent : std::span(&map->fm_extents[0], map->fm_mapped_extents)) {
        if (extent.fe_logical > proven || (extent.fe_flags & kNotItsOwn) != 0) return false;
        proven = extent.fe_logical + extent.fe_length;
      }
    }
    return true;
  }

  void Reserve(std::uint64_t offset, std::uint64_t bytes) override {
    std::ignore =
        fallocate(fd_.get(), FALLOC_FL_KEEP_SIZE, static_cast<off_t>(offset), static_cast<off_t>(bytes));
  }
  void StartWriting(std::uint64_t offset, std::uint64_t bytes) override {
    std::ignore = sync_file_range(fd_.get(), static_cast<off_t>(offset), static_cast<off_t>(bytes),
                                  SYNC_FILE_RANGE_WRITE);
  }
  void WillRead(std::uint64_t offset, std::uint64_t bytes) const override {
    std::ignore = readahead(fd_.get(), static_cast<off_t>(offset), bytes);
  }
  void WillNotRead(std::uint64_t offset, std::uint64_t bytes) const override {
    std::ignore =
        posix_fadvise(fd_.get(), static_cast<off_t>(offset), static_cast<off_t>(bytes), POSIX_FADV_DONTNEED);
  }

 private:
  Descriptor fd_;
  fs::path path_;
};

class MachineLock final : public DiskLock {
 public:
  explicit MachineLock(Descriptor fd) : fd_(std::move(fd)) {}

 private:
  Descriptor fd_;
};

class Machine final : public Disk {
 public:
  DiskResult<std::unique_ptr<DiskFile>> Open(const fs::path& file, Access access) override {
    const int flags = FlagsOf(access) | O_CLOEXEC;
    Descriptor fd(Retried([&] { return open(file.c_str(), flags, kOwnersFile); }));
    if (!fd.open() && errno == EINVAL && access == Access::kDirect)
      fd = Descriptor(Retried([&] { return open(file.c_str(), flags & ~O_DIRECT, kOwnersFile); }));
    if (!fd.open()) return Failed("open", file);
    return std::make_unique<MachineFile>(std::move(fd), file);
  }

  DiskResult<void> MakeDirectory(const fs::path& directory) override {
    if (mkdir(directory.c_str(), kOwnersDirectory) != 0) return Failed("make the directory", directory);
    return {};
  }

  DiskResult<std::optional<Facts>> Look(const fs::path& path) const override {
    struct stat status{};
    if (stat(path.c_str(), &status) != 0) {
      if (errno == ENOENT || errno == ENOTDIR) return std::nullopt;
      return Failed("look at", path);
    }
    return Facts{.bytes = static_cast<std::uint64_t>(status.st_size),
                 .directory = S_ISDIR(status.st_mode),
                 .links = status.st_nlink,
                 .modified_s = status.st_mtim.tv_sec};
  }

  DiskResult<void> MayUse(const fs::path& directory, bool write) const override {
    if (faccessat(AT_FDCWD, directory.c_str(), write ? R_OK | W_OK | X_OK : R_OK | X_OK, AT_EACCESS) != 0)
      return Failed("use", directory);
    return write ? MayMakeFiles(directory) : DiskResult<void>{};
  }

  DiskResult<std::vector<std::string>> List(const fs::path& directory) const override {
    const std::unique_ptr<DIR, int (*)(DIR*)> open(opendir(directory.c_str()), closedir);
    if (!open) return Failed("list", directory);
    std::vector<std::string> names;
    errno = 0;
    while (const dirent* entry = readdir(open.get())) {
      const std::string_view name(entry->d_name);
      if (name != "." && name != "..") names.emplace_back(name);
    }
    if (errno != 0) return Failed("list", directory);
    return names;
  }

  DiskResult<void> Remove(const fs::path& file) override {
    if (unlink(file.c_str()) != 0) return Failed("remove", file);
    return {};
  }
  DiskResult<void> RemoveDirectory(const fs::path& directory) override {
    if (rmdir(directory.c_str()) != 0) return Failed("remove", directory);
    return {};
  }
  DiskResult<void> Rename(const fs::path& from, const fs::path& to) override {
    if (rename(from.c_str(), to.c_str()) != 0) return Failed("rename", from);
    return {};
  }
  DiskResult<void> Link(const fs::path& file, const fs::path& name) override {
    if (link(file.c_str(), name.c_str()) != 0) return Failed("link", file);
    return {};
  }

  DiskResult<void> SyncDirectory(const fs::path& directory) override {
    const Descriptor fd(open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!fd.open()) return Failed("open", directory);
    if (Retried([&] { return fsync(fd.get()); }) != 0) return Failed("sync", directory);
    return {};
  }

  DiskResult<std::uint64_t> FreeBytes(const fs::path& path) const override {
    struct statvfs status{};
    if (statvfs(path.c_str(), &status) != 0) return Failed("measure the free space of", path);
    return static_cast<std::uint64_t>(status.f_bavail) * status.f_frsize;
  }

  DiskResult<std::unique_ptr<DiskLock>> Lock(const fs::path& file, LockMode mode) override {
    int opened = open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, kOwnersFile);
    if (opened < 0 && mode == LockMode::kShared) opened = open(file.c_str(), O_RDONLY | O_CLOEXEC);
    Descriptor fd(opened);
    if (!fd.open()) return Failed("open", file);
    const int operation = (mode == LockMode::kExclusive ? LOCK_EX : LOCK_SH) | LOCK_NB;
    if (Retried([&] { return flock(fd.get(), operation); }) == 0)
      return std::make_unique<MachineLock>(std::move(fd));
    if (errno == EWOULDBLOCK) return nullptr;
    return Failed("lock", file);
  }
};

}  // namespace

const std::shared_ptr<Disk>& MachineDisk() {
  static const std::shared_ptr<Disk> machine = std::make_shared<Machine>();
  return machine;
}

}  // namespace weir::storage
