#include "storage/owner_only.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <system_error>

namespace weir::storage {
namespace {

constexpr mode_t kForOthers = S_IRWXG | S_IRWXO;

void Narrow(const std::filesystem::path& path, std::vector<std::string>& open) {
  struct stat status{};
  if (::lstat(path.c_str(), &status) != 0 || S_ISLNK(status.st_mode)) return;
  if ((status.st_mode & kForOthers) == 0) return;
  if (::chmod(path.c_str(), status.st_mode & ~kForOthers & ALLPERMS) == 0 &&
      ::lstat(path.c_str(), &status) == 0 && (status.st_mode & kForOthers) == 0) {
    return;
  }
  open.push_back(path.string() +
                 " is open to other users and cannot be closed to them: " + std::strerror(errno));
}

bool IsOurs(const std::string& name) {
  return name.starts_with("store") || name == "high-water" || name == "lock" || name == "wal" ||
         name == "secrets" || name == "secret-checks" || name == "quarantine" || name == "admin.sock";
}

}  // namespace

std::vector<std::string> NarrowToOwner(const std::filesystem::path& directory) {
  std::vector<std::string> open;
  std::error_code error;
  // Where a link leads to it, what lies open is its target.
  const std::filesystem::path target = std::filesystem::canonical(directory, error);
  Narrow(error ? directory : target, open);
  for (const auto& entry : std::filesystem::directory_iterator(directory, error)) {
    if (!IsOurs(entry.path().filename().string())) continue;
    Narrow(entry.path(), open);
    std::error_code inside;
    if (!entry.is_directory(inside)) continue;
    for (std::filesystem::recursive_directory_iterator below(entry.path(), inside), end;
         !inside && below != end; below.increment(inside)) {
      Narrow(below->path(), open);
    }
  }
  return open;
}

}  // namespace weir::storage
