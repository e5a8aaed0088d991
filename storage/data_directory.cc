#include "storage/data_directory.h"

#include <pwd.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <system_error>

namespace weir::storage {

namespace fs = std::filesystem;

namespace {

std::string UserText(uid_t uid) {
  std::array<char, 4096> buffer{};
  passwd entry{};
  passwd* found = nullptr;
  const bool named = ::getpwuid_r(uid, &entry, buffer.data(), buffer.size(), &found) == 0 && found != nullptr;
  const std::string number = "uid " + std::to_string(uid);
  return named ? std::string(entry.pw_name) + " (" + number + ")" : number;
}

// The first part of the path that is there and is no directory, or that may not be entered.
fs::path Obstacle(const fs::path& directory) {
  fs::path so_far;
  for (const fs::path& part : directory) {
    so_far /= part;
    struct stat status{};
    if (::stat(so_far.c_str(), &status) != 0) return so_far.has_parent_path() ? so_far.parent_path() : so_far;
    if (!S_ISDIR(status.st_mode)) return so_far;
  }
  return so_far;
}

std::string Complaint(const fs::path& directory, int code) {
  const fs::path obstacle = Obstacle(directory);
  std::string text =
      "the data directory " + directory.string() + " cannot be used: " + obstacle.string() + ": ";
  if (code == ENOTDIR) return text + "is not a directory";
  text += std::strerror(code);
  if (code != EACCES) return text;
  const std::string whose = WhoseIs(obstacle);
  return whose.empty() ? text : text + "; " + whose;
}

DiskResult<void> MakeWithParents(Disk& disk, const fs::path& directory) {
  if (directory.empty() || Exists(disk, directory)) return {};
  if (auto above = MakeWithParents(disk, directory.parent_path()); !above) return above;
  auto made = disk.MakeDirectory(directory);
  if (!made && made.error().code == EEXIST) return {};
  // Everything that is ever promised stands below this name.
  if (made) made = disk.SyncDirectory(directory.has_parent_path() ? directory.parent_path() : ".");
  return made;
}

}  // namespace

std::expected<void, std::string> EnterDirectory(Disk& disk, const fs::path& directory, bool create) {
  int code = 0;
  if (create) {
    // "data/" and "data" are one directory.
    const fs::path named = directory.has_filename() ? directory : directory.parent_path();
    if (auto made = MakeWithParents(disk, named); !made) code = made.error().code;
  }
  const auto found = disk.Look(directory);
  if (code == 0 && !found) code = found.error().code;
  if (code == 0 && !*found) {
    // A part of the path that is no directory is as good as none to the disk, and another mistake to whoever wrote it.
    struct stat status{};
    code = ::stat(directory.c_str(), &status) != 0 && errno == ENOTDIR ? ENOTDIR : ENOENT;
  }
  if (code == ENOENT) return std::unexpected("there is no data directory " + directory.string());
  if (code == 0 && !(*found)->directory) code = ENOTDIR;
  if (code == 0) {
    if (const auto allowed = disk.MayUse(directory, create); !allowed) code = allowed.error().code;
  }
  if (code != 0) return std::unexpected(Complaint(directory, code));
  return {};
}

std::expected<fs::path, std::string> MayEnterDirectory(const Disk& disk, const fs::path& directory) {
  fs::path there = directory.has_filename() ? directory : directory.parent_path();
  struct stat status{};
  while (::stat(there.c_str(), &status) != 0) {
    if (errno != ENOENT || !there.has_relative_path()) return std::unexpected(Complaint(directory, errno));
    there = there.has_parent_path() ? there.parent_path() : fs::path(".");
  }
  if (!S_ISDIR(status.st_mode)) return std::unexpected(Complaint(directory, ENOTDIR));
  if (const auto allowed = disk.MayUse(there, true); !allowed) {
    return std::unexpected(Complaint(directory, allowed.error().code));
  }
  return there;
}

fs::path LockFileOf(const fs::path& directory) {
  return directory / "lock";
}

std::expected<std::unique_ptr<DiskLock>, std::string> TakeDirectory(Disk& disk, const fs::path& directory,
                                                                    Disk::LockMode mode) {
  auto taken = disk.Lock(LockFileOf(directory), mode);
  if (!taken) return std::unexpected(taken.error().message);
  return *std::move(taken);
}

bool HoldsTraceOfStore(Disk& disk, const fs::path& directory) {
  return Exists(disk, directory / "store") || Exists(disk, directory / "high-water");
}

std::string WhoseIs(const fs::path& path) {
  struct stat status{};
  if (::lstat(path.c_str(), &status) != 0) return "";
  return "it belongs to " + UserText(status.st_uid) + ", this process runs as " + UserText(::geteuid());
}

std::string HolderOf(const fs::path& file) {
  constexpr const char* kUnknown = "another process";
  struct stat status{};
  if (::stat(file.c_str(), &status) != 0) return kUnknown;
  // 1: FLOCK  ADVISORY  WRITE 4711 fe:01:1234 0 EOF, see proc_locks(5)
  std::ifstream locks("/proc/locks");
  for (std::string line; std::getline(locks, line);) {
    int pid = 0;
    unsigned major_number = 0;
    unsigned minor_number = 0;
    std::uint64_t inode = 0;
    if (std::sscanf(line.c_str(), "%*d: FLOCK %*s %*s %d %x:%x:%" SCNu64, &pid, &major_number, &minor_number,
                    &inode) != 4) {
      continue;
    }
    if (pid <= 0 || inode != status.st_ino || major_number != major(status.st_dev) ||
        minor_number != minor(status.st_dev)) {
      continue;
    }
    std::string name;
    std::getline(std::ifstream("/proc/" + std::to_string(pid) + "/comm"), name);
    return "process " + std::to_string(pid) + (name.empty() ? "" : " (" + name + ")");
  }
  return kUnknown;
}

}  // namespace weir::storage
