#include "engine/config/file_place.h"

#include <algorithm>
#include <filesystem>
#include <optional>
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

// `path` with the first symbolic link on its way replaced by where that leads, which need not exist; weakly_canonical
// follows only what does.
std::optional<fs::path> FirstLink(const fs::path& path) {
  fs::path way;
  for (auto part = path.begin(); part != path.end(); ++part) {
    way /= *part;
    std::error_code error;
    if (!fs::is_symlink(fs::symlink_status(way, error))) continue;
    const fs::path target = fs::read_symlink(way, error);
    if (error) return std::nullopt;
    fs::path followed = way.parent_path() / target;
    for (++part; part != path.end(); ++part) followed /= *part;
    return followed;
  }
  return std::nullopt;
}

}  // namespace

fs::path PlaceOf(const fs::path& path) {
  std::error_code error;
  fs::path rest = fs::absolute(path, error);
  for (int link = 0; link < kLinksMax; ++link) {
    const auto linked = FirstLink(rest);
    if (!linked) break;
    rest = *linked;
  }
  const fs::path canonical = fs::weakly_canonical(rest, error);
  return error ? rest.lexically_normal() : canonical;
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
