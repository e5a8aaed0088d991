#include "engine/config/file_place.h"

#include <algorithm>
#include <filesystem>
#include <system_error>

namespace weir::config {

namespace {

namespace fs = std::filesystem;

constexpr int kLinksMax = 40;  // as the kernel follows

// The other names of a file cannot be asked for; a directory of ours can be looked through.
bool HoldsHardLink(const fs::path& directory, const fs::path& file) {
  std::error_code error;
  if (fs::hard_link_count(file, error) < 2 || error) return false;
  fs::recursive_directory_iterator entries(directory, fs::directory_options::skip_permission_denied, error);
  for (; !error && entries != fs::recursive_directory_iterator(); entries.increment(error)) {
    std::error_code unknown;
    if (fs::equivalent(entries->path(), file, unknown) && !unknown) return true;
  }
  return false;
}

}  // namespace

fs::path PlaceOf(const fs::path& path) {
  std::error_code error;
  fs::path place = fs::absolute(path, error);
  for (int link = 0; link < kLinksMax && fs::is_symlink(fs::symlink_status(place, error)); ++link) {
    const fs::path target = fs::read_symlink(place, error);
    if (error) break;
    place = place.parent_path() / target;
  }
  const fs::path canonical = fs::weakly_canonical(place, error);
  return error ? place.lexically_normal() : canonical;
}

bool IsSameFile(const fs::path& a, const fs::path& b) {
  std::error_code error;
  return PlaceOf(a) == PlaceOf(b) || (fs::equivalent(a, b, error) && !error);
}

bool LiesWithin(const fs::path& file, const fs::path& directory) {
  const fs::path place = PlaceOf(file);
  fs::path root = PlaceOf(directory);
  if (!root.has_filename()) root = root.parent_path();
  const auto [root_end, place_end] = std::ranges::mismatch(root, place);
  return root_end == root.end() || HoldsHardLink(root, place);
}

}  // namespace weir::config
