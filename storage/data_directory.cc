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

std::string Complaint(const fs::path& directory, const std::error_code& error) {
  const fs::path obstacle = Obstacle(directory);
  std::string text =
      "the data directory " + directory.string() + " cannot be used: " + obstacle.string() + ": ";
  if (error == std::errc::not_a_directory) return text + "is not a directory";
  text += error.message();
  if (error != std::errc::permission_denied) return text;
  const std::string whose = WhoseIs(obstacle);
  return whose.empty() ? text : text + "; " + whose;
}

}  // namespace

std::expected<void, std::string> EnterDirectory(const fs::path& directory, bool create) {
  std::error_code error;
  if (create) fs::create_directories(directory, error);
  struct stat status{};
  if (!error && ::stat(directory.c_str(), &status) != 0) error = {errno, std::system_category()};
  if (error == std::errc::no_such_file_or_directory) {
    return std::unexpected("there is no data directory " + directory.string());
  }
  if (!error && !S_ISDIR(status.st_mode)) error = std::make_error_code(std::errc::not_a_directory);
  if (!error && ::access(directory.c_str(), create ? R_OK | W_OK | X_OK : R_OK | X_OK) != 0)
    error = {errno, std::system_category()};
  if (error) return std::unexpected(Complaint(directory, error));
  return {};
}

bool HoldsTraceOfStore(const fs::path& directory) {
  for (const char* name : {"store", "high-water"}) {
    std::error_code error;
    if (fs::exists(directory / name, error)) return true;
  }
  return false;
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
