#include "storage/disk_watch.h"

#include <condition_variable>
#include <mutex>
#include <utility>

#include "storage/clock.h"
#include "storage/limits.h"
#include "storage/start_thread.h"
#include "storage/trash.h"
#include "storage/wal_pool.h"

namespace weir::storage {

struct DiskWatch::State {
  State(std::shared_ptr<Disk> given_disk, std::filesystem::path given_directory)
      : disk(std::move(given_disk)), directory(std::move(given_directory)) {}

  const std::shared_ptr<Disk> disk;
  const std::filesystem::path directory;

  // The watching thread's only, once there is one.
  std::int64_t bytes_counted_at_us = 0;

  mutable std::mutex mutex;
  std::condition_variable wake;
  DiskReading last;       // protected by mutex
  bool stopping = false;  // protected by mutex

  void Look();
  void Run();
};

namespace {

// Files come and go while the database works: one that has gone meanwhile has none.
std::uint64_t BytesOfAll(const Disk& disk, const std::filesystem::path& folder) {
  std::uint64_t bytes = 0;
  for (const auto& file : FilesEndingIn(disk, folder, "")) bytes += BytesOf(disk, file);
  return bytes;
}

}  // namespace

// A disk that answers with an error has not said how much room it has.
void DiskWatch::State::Look() {
  const std::int64_t now_us = ReadClocks().monotonic_us;
  const auto free_bytes = disk->FreeBytes(directory);
  if (!free_bytes) return;
  constexpr std::int64_t kStoreBytesEveryUs =
      std::chrono::duration_cast<std::chrono::microseconds>(limits::kStoreBytesEvery).count();
  const bool count = bytes_counted_at_us == 0 || now_us - bytes_counted_at_us >= kStoreBytesEveryUs;
  const std::uint64_t counted = count ? BytesOfAll(*disk, directory / "store") +
                                            BytesOfAll(*disk, directory / kTrashFolder) +
                                            BytesOfAll(*disk, directory / kWalPoolFolder)
                                      : 0;
  if (count) bytes_counted_at_us = now_us;
  const std::lock_guard lock(mutex);
  last.free_bytes = *free_bytes;
  last.monotonic_ms = now_us / 1000;
  if (count) last.store_bytes = counted;
}

void DiskWatch::State::Run() {
  while (true) {
    {
      std::unique_lock lock(mutex);
      if (wake.wait_for(lock, limits::kDiskLookEvery, [this] { return stopping; })) return;
    }
    Look();
  }
}

DiskWatch::DiskWatch(std::shared_ptr<Disk> disk, const std::filesystem::path& directory)
    : state_(std::make_shared<State>(std::move(disk), directory)) {
  state_->Look();
}

DiskWatch::~DiskWatch() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->stopping = true;
  }
  state_->wake.notify_all();
}

std::expected<void, std::string> DiskWatch::Start() {
  auto started = StartThread("disk-watch", [state = state_](const std::stop_token&) { state->Run(); });
  if (!started) return std::unexpected(started.error());
  started->detach();
  return {};
}

DiskReading DiskWatch::Last() const {
  const std::lock_guard lock(state_->mutex);
  return state_->last;
}

}  // namespace weir::storage
