// The segments of write-ahead logs that are in no log: ready to be taken, or waiting to be made ready.
//
// Taking and giving back are renames. What costs time, writing a new segment for the first time or a new life into a used
// one, is done by a thread of its own, ahead of need. A segment is overwritten only when its names are settled on the disk,
// it has no other one (store.found, store.lost.N and a backup's hard links keep what they name), and no open has yet to say
// whether it wants the log back.
//
// Internal to storage/.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <expected>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include "storage/disk.h"
#include "storage/event_store.h"
#include "storage/patience.h"
#include "storage/wal_appender.h"
#include "storage/wal_frame.h"

namespace weir::storage {

class StoreHealth;

// Beside the database's folder.
inline constexpr std::string_view kWalPoolFolder = "wal";

struct WalPoolOptions {
  std::filesystem::path folder;  // made when it is first needed
  std::uint64_t segment_bytes;   // of every segment that is made; a multiple of a block
  bool synced;  // false: what is written is not synced one by one, and goes through the page cache
  std::function<WalLife()> new_life;
};
// From the kernel's randomness.
WalLife RandomWalLife();

class WalPool {
 public:
  WalPool(std::shared_ptr<Disk> disk, WalPoolOptions options);
  // Waits for the piece under way.
  ~WalPool();
  // From here on nothing is made ready. Waits likewise.
  void Stop();
  WalPool(const WalPool&) = delete;
  WalPool& operator=(const WalPool&) = delete;

  std::uint64_t segment_bytes() const { return options_.segment_bytes; }
  // Whether a log's tail is what its unsynced bytes are kept in.
  bool keeps_tails() const { return options_.synced; }
  Patience& patience() { return patience_; }

  // Segments are made ready from here on, those that an earlier process left in the folder too, and what it left of logs in
  // `store` that have no first segment. `health` outlives this, may be nullptr, and is told of what cannot be done. The
  // error is a sentence.
  std::expected<void, std::string> Start(const std::filesystem::path& store, StoreHealth* health);

  // Any thread. A segment under that name, durably there.
  DiskResult<WalSegmentFile> Take(const std::filesystem::path& name);
  // Any thread. Takes a segment out of a log.
  DiskResult<void> Return(const std::filesystem::path& segment);
  // The log that is appended to.
  void Serve(std::weak_ptr<WalAppender> appender);
  // So many bytes of frames were written.
  void Logged(std::uint64_t bytes);
  void Wake();
  LogSegments Figures() const;

  // The thread's: one thing that is to be done.
  enum class Did : std::uint8_t { kNothing, kSomething, kFail };
  Did Step();

 private:
  struct Ready {
    std::filesystem::path file;
    WalLife life;
  };
  struct Returned {
    std::filesystem::path file;
    std::filesystem::path from;  // the directory it was in; empty: the pool's own
  };
  void Run(const std::stop_token& stop);
  // The thread's: each does one thing, and says whether it found one to do.
  DiskResult<bool> OfferToLog();
  DiskResult<bool> MakeReturnedReady();
  DiskResult<bool> FillFurther();
  DiskResult<bool> StepOrFail();

  DiskResult<void> Settle(const Returned& segment);
  DiskResult<void> Refresh(const std::filesystem::path& segment);
  DiskResult<void> MakeReady(const std::filesystem::path& segment);
  bool WantsNew();
  void CollectLeft(const std::filesystem::path& store);
  std::optional<Ready> PopReady();
  DiskResult<std::filesystem::path> FreeName();
  DiskResult<void> RenameDurably(const std::filesystem::path& from, const std::filesystem::path& to);
  DiskResult<WalSegmentFile> Open(const Ready& ready, const std::filesystem::path& name);
  DiskResult<WalSegmentFile> Grow(const std::filesystem::path& name);

  const std::shared_ptr<Disk> disk_;
  const WalPoolOptions options_;
  Patience patience_;
  StoreHealth* health_ = nullptr;

  mutable std::mutex mutex_;
  std::condition_variable_any wake_;
  bool woken_ = false;  // under mutex_, as what follows
  std::deque<Ready> ready_;
  std::deque<Returned> returned_;  // the oldest first
  std::weak_ptr<WalAppender> served_;
  std::uint64_t named_ = 0;
  LogSegments figures_;
  std::atomic<std::uint64_t> logged_{0};  // bytes

  // The thread's: a segment that is being written for the first time, and how far.
  struct Filling {
    std::filesystem::path name;
    std::unique_ptr<DiskFile> file;
    std::uint64_t bytes;
  };
  std::optional<Filling> filling_;
  std::jthread thread_;
};

}  // namespace weir::storage
