#include "storage/trash.h"

#include <algorithm>
#include <utility>

#include "storage/limits.h"
#include "storage/start_thread.h"
#include "storage/store_health.h"

namespace weir::storage {

namespace fs = std::filesystem;

Trash::Trash(std::shared_ptr<Disk> disk, fs::path emptied, fs::path folder, StoreHealth* health)
    : disk_(std::move(disk)), emptied_(std::move(emptied)), folder_(std::move(folder)), health_(health) {
  for (fs::path& left : FilesEndingIn(*disk_, folder_, "")) waiting_.push_back(std::move(left));
  // A name that is free, whatever an earlier process has left.
  for (const fs::path& left : waiting_) {
    const std::string number = left.filename().string();
    if (number.find_first_not_of("0123456789") == std::string::npos && number.size() < 19)
      taken_ = std::max<std::uint64_t>(taken_, std::stoull(number));
  }
}

Trash::~Trash() {
  thread_.request_stop();
}

std::expected<void, std::string> Trash::Start() {
  auto started = StartThread("store-trash", [this](const std::stop_token& stop) { Run(stop); });
  if (!started) return std::unexpected(started.error());
  thread_ = *std::move(started);
  return {};
}

bool Trash::Take(const fs::path& file) {
  if (file.parent_path() != emptied_) return false;
  const auto facts = disk_->Look(file);
  if (!facts || !*facts || (*facts)->bytes <= limits::kTrashPieceBytes || (*facts)->links != 1) return false;
  const std::lock_guard lock(mutex_);
  if (waiting_.size() >= limits::kTrashFilesMax) return false;
  if (!Exists(*disk_, folder_) && !disk_->MakeDirectory(folder_)) return false;
  fs::path name = folder_ / std::to_string(taken_ + 1);
  if (!disk_->Rename(file, name)) return false;
  ++taken_;
  waiting_.push_back(std::move(name));
  wake_.notify_one();
  return true;
}

DiskResult<bool> ShortenAway(Disk& disk, const fs::path& file) {
  const auto facts = disk.Look(file);
  if (!facts) return std::unexpected(facts.error());
  if (!*facts) return true;
  if ((*facts)->bytes <= limits::kTrashPieceBytes || (*facts)->links != 1) {
    if (auto removed = disk.Remove(file); !removed) return std::unexpected(removed.error());
    return true;
  }
  const auto opened = disk.Open(file, Disk::Access::kUpdate);
  if (!opened) return std::unexpected(opened.error());
  if (auto cut = (*opened)->Resize((*facts)->bytes - limits::kTrashPieceBytes); !cut)
    return std::unexpected(cut.error());
  return false;
}

// Whether all of it is gone.
DiskResult<bool> Trash::GiveBack(const fs::path& file) {
  if (durable_ != file && Exists(*disk_, file)) {
    auto synced = disk_->SyncDirectory(folder_);
    if (synced) synced = disk_->SyncDirectory(emptied_);
    if (!synced) return std::unexpected(synced.error());
    durable_ = file;
  }
  return ShortenAway(*disk_, file);
}

bool Trash::Step() {
  fs::path file;
  {
    const std::lock_guard lock(mutex_);
    if (waiting_.empty()) return false;
    file = waiting_.front();
  }
  const auto gone = GiveBack(file);
  if (!gone && health_ != nullptr) {
    health_->Report(
        StoreTrouble::Part::kTrash,
        "a deleted file still takes its room on the disk, and is tried again at the next start: " +
            gone.error().message);
  }
  if (gone && *gone && health_ != nullptr) health_->Over(StoreTrouble::Part::kTrash);
  if (gone && !*gone) return true;
  const std::lock_guard lock(mutex_);
  waiting_.pop_front();
  return !waiting_.empty();
}

void Trash::Run(const std::stop_token& stop) {
  while (!stop.stop_requested() && (health_ == nullptr || !health_->failed())) {
    const bool more = Step();
    std::unique_lock lock(mutex_);
    if (more) {
      wake_.wait_for(lock, stop, limits::kTrashPause, [] { return false; });
    } else {
      wake_.wait(lock, stop, [this] { return !waiting_.empty(); });
    }
  }
}

}  // namespace weir::storage
