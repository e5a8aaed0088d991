// DIR/store.linking   being made; worthless
// DIR/store.found     complete; an open is under way, or ended without a verdict
// DIR/store.lost.N    kept by an open that accepted a loss
#include "storage/found_copy.h"

#include <fcntl.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <string_view>
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

// The high-water record as it was when the copy was made.
constexpr std::string_view kWitness = "high-water.found";

std::string Content(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

fs::path HighWaterBeside(const fs::path& folder) {
  return folder.parent_path() / "high-water";
}

bool WriteWitness(const fs::path& folder, const fs::path& linking) {
  const std::string bytes = Content(HighWaterBeside(folder));
  const int fd = open((linking / kWitness).c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return false;
  const bool written =
      write(fd, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()) && fsync(fd) == 0;
  close(fd);
  return written;
}

// A copy without a witness is of an older build, or was never completed by one.
bool IsOfThisStore(const fs::path& folder, const fs::path& found) {
  std::error_code error;
  if (!fs::exists(found / kWitness, error)) return true;
  return Content(found / kWitness) == Content(HighWaterBeside(folder));
}

fs::path FreeName(const fs::path& folder, const std::string& suffix) {
  std::error_code error;
  fs::path name;
  int number = 0;
  do {
    name = Beside(folder, suffix + std::to_string(++number));
  } while (fs::exists(name, error));
  return name;
}

// RocksDB's own lock and its diary are written into while it is open.
bool IsState(const std::string& name) {
  return name != "LOCK" && !name.starts_with("LOG") && name != kWitness;
}

std::error_code LinkAll(const fs::path& from, const fs::path& to) {
  std::error_code error;
  fs::create_directory(to, error);
  if (error) return error;
  fs::permissions(to, fs::perms::owner_all, error);
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
  fs::path set_aside;
  if (fs::exists(found, error) && (!fs::exists(folder, error) || IsOfThisStore(folder, found))) {
    if (auto restored = FoundCopy(folder, true).Restore(); !restored)
      return std::unexpected(restored.error());
  } else if (fs::exists(found, error)) {
    set_aside = FreeName(folder, ".stale.");
    if (auto renamed = RenameDurably(found, set_aside); !renamed) return std::unexpected(renamed.error());
  }
  FoundCopy copy(folder, false);
  copy.set_aside_ = set_aside;
  if (!fs::exists(folder, error)) return copy;
  if (LinkAll(folder, linking) || !WriteWitness(folder, linking)) {
    fs::remove_all(linking, error);
    return copy;
  }
  // The name promises completeness, so it may not reach the disk before the links have.
  if (!SyncDirectory(linking)) return std::unexpected("cannot sync " + linking.string());
  if (auto renamed = RenameDurably(linking, found); !renamed) return std::unexpected(renamed.error());
  copy.made_ = true;
  return copy;
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
  if (auto renamed = RenameDurably(Beside(folder_, ".found"), folder_); !renamed) return renamed;
  fs::remove(folder_ / kWitness, error);  // a witness that stays behind is never read
  return {};
}

std::expected<fs::path, std::string> FoundCopy::Keep() {
  if (!std::exchange(made_, false)) return fs::path();
  const fs::path kept = FreeName(folder_, ".lost.");
  if (auto renamed = RenameDurably(Beside(folder_, ".found"), kept); !renamed)
    return std::unexpected(renamed.error());
  return kept;
}

}  // namespace weir::storage
