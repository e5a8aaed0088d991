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

fs::path Beside(const fs::path& folder, const std::string& suffix) {
  return {folder.string() + suffix};
}

bool SyncDirectory(const fs::path& directory) {
  const int fd = open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return false;
  const bool synced = fsync(fd) == 0;
  close(fd);
  return synced;
}

std::expected<void, std::string> RenameDurably(const fs::path& from, const fs::path& to) {
  std::error_code error;
  fs::rename(from, to, error);
  if (error) return std::unexpected("cannot rename " + from.string() + ": " + error.message());
  if (!SyncDirectory(from.parent_path()))
    return std::unexpected("cannot sync " + from.parent_path().string());
  return {};
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
  if (!SyncDirectory(linking)) return std::unexpected("cannot sync " + linking.string());
  if (auto renamed = RenameDurably(linking, found); !renamed) return std::unexpected(renamed.error());
  return FoundCopy(folder, true);
}

std::expected<void, std::string> FoundCopy::Discard() {
  if (!std::exchange(made_, false)) return {};
  // A rename first: half a copy must not be taken for a whole one by the next open.
  const fs::path linking = Beside(folder_, ".linking");
  if (auto renamed = RenameDurably(Beside(folder_, ".found"), linking); !renamed) return renamed;
  std::error_code error;
  fs::remove_all(linking, error);  // what is left of it the next open removes
  return {};
}

std::expected<bool, std::string> FoundCopy::StartAgain() {
  if (!made_) return false;
  std::error_code error;
  fs::remove_all(folder_, error);
  if (!error) error = LinkAll(Beside(folder_, ".found"), folder_);
  if (error) return std::unexpected("cannot put back " + folder_.string() + ": " + error.message());
  return true;
}

std::expected<void, std::string> FoundCopy::Restore() {
  if (!std::exchange(made_, false)) return {};
  std::error_code error;
  fs::remove_all(folder_, error);
  if (error) return std::unexpected("cannot put back " + folder_.string() + ": " + error.message());
  return RenameDurably(Beside(folder_, ".found"), folder_);
}

std::expected<fs::path, std::string> FoundCopy::Keep() {
  if (!std::exchange(made_, false)) return fs::path();
  std::error_code error;
  fs::path kept;
  int number = 0;
  do {
    kept = Beside(folder_, ".lost." + std::to_string(++number));
  } while (fs::exists(kept, error));
  if (auto renamed = RenameDurably(Beside(folder_, ".found"), kept); !renamed)
    return std::unexpected(renamed.error());
  return kept;
}

}  // namespace weir::storage
