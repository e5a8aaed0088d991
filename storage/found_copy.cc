// DIR/store.linking   being made; worthless
// DIR/store.found     complete; an open is under way, or ended without a verdict
// DIR/store.lost.N    kept by an open that accepted a loss
#include "storage/found_copy.h"

#include <string_view>
#include <utility>

namespace weir::storage {
namespace {

namespace fs = std::filesystem;

fs::path Beside(const fs::path& folder, const std::string& suffix) {
  return {folder.string() + suffix};
}

std::expected<void, std::string> Told(const DiskResult<void>& done) {
  if (!done) return std::unexpected(done.error().message);
  return {};
}

std::expected<void, std::string> RenameDurably(Disk& disk, const fs::path& from, const fs::path& to) {
  auto done = disk.Rename(from, to);
  if (done) done = disk.SyncDirectory(from.parent_path());
  return Told(done);
}

// The high-water record as it was when the copy was made.
constexpr std::string_view kWitness = "high-water.found";

// Empty: there is none, or it cannot be read.
std::string Content(Disk& disk, const fs::path& file) {
  return ReadWhole(disk, file).value_or("");
}

fs::path HighWaterBeside(const fs::path& folder) {
  return folder.parent_path() / "high-water";
}

DiskResult<void> WriteWitness(Disk& disk, const fs::path& folder, const fs::path& linking) {
  const std::string bytes = Content(disk, HighWaterBeside(folder));
  const auto file = disk.Open(linking / kWitness, Disk::Access::kReplace);
  if (!file) return std::unexpected(file.error());
  if (auto written = (*file)->WriteAt(0, bytes); !written) return written;
  return (*file)->Sync();
}

// Only what says so itself: the store is removed for it.
bool IsOfThisStore(Disk& disk, const fs::path& folder, const fs::path& found) {
  return Exists(disk, found / "CURRENT") && Exists(disk, found / kWitness) &&
         Content(disk, found / kWitness) == Content(disk, HighWaterBeside(folder));
}

fs::path FreeName(Disk& disk, const fs::path& folder, const std::string& suffix) {
  fs::path name;
  int number = 0;
  do {
    name = Beside(folder, suffix + std::to_string(++number));
  } while (Exists(disk, name));
  return name;
}

// RocksDB's own lock and its diary are written into while it is open.
bool IsState(const std::string& name) {
  return name != "LOCK" && !name.starts_with("LOG") && name != kWitness;
}

DiskResult<void> LinkAll(Disk& disk, const fs::path& from, const fs::path& to) {
  if (auto made = disk.MakeDirectory(to); !made) return made;
  const auto names = disk.List(from);
  if (!names) return std::unexpected(names.error());
  for (const std::string& name : *names) {
    if (!IsState(name)) continue;
    const auto found = disk.Look(from / name);
    if (!found) return std::unexpected(found.error());
    if (!*found || (*found)->directory) continue;
    if (auto linked = disk.Link(from / name, to / name); !linked) return linked;
  }
  return {};
}

}  // namespace

std::expected<FoundCopy, std::string> FoundCopy::Make(const std::shared_ptr<Disk>& disk,
                                                      const fs::path& folder) {
  const fs::path linking = Beside(folder, ".linking");
  const fs::path found = Beside(folder, ".found");
  std::ignore = RemoveTree(*disk, linking);
  fs::path set_aside;
  if (Exists(*disk, found) && IsOfThisStore(*disk, folder, found)) {
    if (auto restored = FoundCopy(disk, folder, true).Restore(); !restored)
      return std::unexpected(restored.error());
  } else if (Exists(*disk, found)) {
    set_aside = FreeName(*disk, folder, ".stale.");
    if (auto renamed = RenameDurably(*disk, found, set_aside); !renamed)
      return std::unexpected(renamed.error());
  }
  FoundCopy copy(disk, folder, false);
  copy.set_aside_ = set_aside;
  if (!Exists(*disk, folder)) return copy;
  if (!LinkAll(*disk, folder, linking) || !WriteWitness(*disk, folder, linking)) {
    std::ignore = RemoveTree(*disk, linking);
    return copy;
  }
  // The name promises completeness, so it may not reach the disk before the links have.
  if (auto synced = Told(disk->SyncDirectory(linking)); !synced) return std::unexpected(synced.error());
  if (auto renamed = RenameDurably(*disk, linking, found); !renamed) return std::unexpected(renamed.error());
  copy.made_ = true;
  return copy;
}

std::expected<void, std::string> FoundCopy::Discard() {
  if (!std::exchange(made_, false)) return {};
  // A rename first: half a copy must not be taken for a whole one by the next open.
  const fs::path linking = Beside(folder_, ".linking");
  if (auto renamed = RenameDurably(*disk_, Beside(folder_, ".found"), linking); !renamed) return renamed;
  std::ignore = RemoveTree(*disk_, linking);  // what is left of it the next open removes
  return {};
}

std::expected<bool, std::string> FoundCopy::StartAgain() {
  if (!made_) return false;
  auto done = RemoveTree(*disk_, folder_);
  if (done) done = LinkAll(*disk_, Beside(folder_, ".found"), folder_);
  if (!done) return std::unexpected("cannot put back " + folder_.string() + ": " + done.error().message);
  return true;
}

std::expected<void, std::string> FoundCopy::Restore() {
  if (!std::exchange(made_, false)) return {};
  if (const auto removed = RemoveTree(*disk_, folder_); !removed)
    return std::unexpected("cannot put back " + folder_.string() + ": " + removed.error().message);
  if (auto renamed = RenameDurably(*disk_, Beside(folder_, ".found"), folder_); !renamed) return renamed;
  std::ignore = disk_->Remove(folder_ / kWitness);  // a witness that stays behind is never read
  return {};
}

std::expected<fs::path, std::string> FoundCopy::Keep() {
  if (!std::exchange(made_, false)) return fs::path();
  fs::path kept = FreeName(*disk_, folder_, ".lost.");
  if (auto renamed = RenameDurably(*disk_, Beside(folder_, ".found"), kept); !renamed)
    return std::unexpected(renamed.error());
  return kept;
}

}  // namespace weir::storage
