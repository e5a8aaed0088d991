// DIR/store.linking   being made; worthless
// DIR/store.found     complete; an open is under way, or ended without a verdict
// DIR/store.lost.N    kept by an open that accepted a loss
#include "storage/found_copy.h"

#include <fcntl.h>
#include <unistd.h>

#include <system_error>
#include <utility>

namespace weir::storage {
namespace {

namespace fs = std::filesystem;

fs::path Beside(const fs::path& folder, const char* suffix) {
  return fs::path(folder.string() + suffix);
}

bool SyncDirectory(const fs::path& directory) {
  const int fd = open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return false;
  const bool synced = fsync(fd) == 0;
  close(fd);
  return synced;
}

// RocksDB's own lock and its diary are written into while it is open.
bool IsState(const std::string& name) {
  return name != "LOCK" && !name.starts_with("LOG");
}

std::error_code LinkAll(const fs::path& from, const fs::path& to) {
  std::error_code error;
  fs::create_directory(to, error);
  if (error) return error;
  for (fs::directory_iterator file(from, error); !error && file != fs::directory_iterator();
       file.increment(error)) {
    if (!file->is_regular_file() || !IsState(file->path().filename().string())) continue;
    fs::create_hard_link(file->path(), to / file->path().filename(), error);
    if (error) return error;
  }
  return error;
}

}  // namespace

std::expected<FoundCopy, std::string> FoundCopy::Make(const fs::path& folder) {
  std::error_code error;
  const fs::path linking = Beside(folder, ".linking");
  const fs::path found = Beside(folder, ".found");
  fs::remove_all(linking, error);
  if (fs::exists(found, error)) {
    if (auto restored = FoundCopy(folder, true).Restore(); !restored)
      return std::unexpected(restored.error());
  }
  if (!fs::exists(folder, error)) return FoundCopy(folder, false);
  if (LinkAll(folder, linking)) {
    fs::remove_all(linking, error);
    return FoundCopy(folder, false);
  }
  // The name promises completeness, so it may not reach the disk before the links have.
  SyncDirectory(linking);
  fs::rename(linking, found, error);
  if (error) return std::unexpected("cannot rename " + linking.string() + ": " + error.message());
  SyncDirectory(folder.parent_path());
  return FoundCopy(folder, true);
}

void FoundCopy::Discard() {
  if (!std::exchange(made_, false)) return;
  // A rename first: half a copy must not be taken for a whole one by the next open.
  std::error_code error;
  const fs::path linking = Beside(folder_, ".linking");
  fs::rename(Beside(folder_, ".found"), linking, error);
  if (error) return;
  SyncDirectory(folder_.parent_path());
  fs::remove_all(linking, error);
}

std::expected<void, std::string> FoundCopy::Restore() {
  if (!std::exchange(made_, false)) return {};
  std::error_code error;
  fs::remove_all(folder_, error);
  if (!error) fs::rename(Beside(folder_, ".found"), folder_, error);
  if (error) return std::unexpected("cannot put back " + folder_.string() + ": " + error.message());
  SyncDirectory(folder_.parent_path());
  return {};
}

fs::path FoundCopy::Keep() {
  if (!std::exchange(made_, false)) return {};
  std::error_code error;
  for (int number = 1;; ++number) {
    const fs::path kept = Beside(folder_, (".lost." + std::to_string(number)).c_str());
    if (fs::exists(kept, error)) continue;
    fs::rename(Beside(folder_, ".found"), kept, error);
    return error ? fs::path() : kept;
  }
}

}  // namespace weir::storage
