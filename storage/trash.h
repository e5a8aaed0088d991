// Large files on their way out. Giving back the blocks of one file takes the file system tens of milliseconds where it
// also tells the device (ext4 mounted `discard`), and a commit's sync waits for that. So a file that RocksDB deletes is
// renamed into this folder, which is as quick as any rename, and shortened there a piece at a time on a thread of its own.
//
// A piece is cut only once the rename is durable: a power cut must not bring a file back under its old name without its
// end. And only of a file that nobody else has a link to: `store.found`, `store.lost.N` and a backup's hard links keep
// what they name.
//
// Internal to storage/.
#pragma once

#include <condition_variable>
#include <deque>
#include <expected>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "storage/disk.h"

namespace weir::storage {

class StoreHealth;

// Beside the database's folder.
inline constexpr std::string_view kTrashFolder = "trash";

// Cuts a piece off the file's end, or removes what is left of it, or of a file that has another name as well: whether it is
// gone. The next piece after limits::kTrashPause.
DiskResult<bool> ShortenAway(Disk& disk, const std::filesystem::path& file);

class Trash {
 public:
  // Both folders are on one file system; `folder` is made when it is first needed. What an earlier process left in it
  // goes as well. `emptied` is the directory whose files are taken. `health` outlives this, may be nullptr, and is told of
  // a file that cannot be given back: it stays where it is until the next start. Once it has failed nothing is touched.
  Trash(std::shared_ptr<Disk> disk, std::filesystem::path emptied, std::filesystem::path folder,
        StoreHealth* health);
  // Waits for the piece under way; the rest is for the next start.
  ~Trash();
  Trash(const Trash&) = delete;
  Trash& operator=(const Trash&) = delete;

  // What was taken before is given back from here on. The error is a sentence.
  std::expected<void, std::string> Start();

  // Any thread. Whether the file is one for the trash, and gone from where it was; else it is deleted as any other.
  bool Take(const std::filesystem::path& file);

  // The thread's: one piece of the oldest file, or all that is left of it. Whether there is more to do.
  bool Step();

 private:
  void Run(const std::stop_token& stop);
  DiskResult<bool> GiveBack(const std::filesystem::path& file);

  const std::shared_ptr<Disk> disk_;
  const std::filesystem::path emptied_;
  const std::filesystem::path folder_;
  StoreHealth* const health_;

  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::deque<std::filesystem::path> waiting_;  // under mutex_; the oldest first
  std::uint64_t taken_ = 0;                    // under mutex_
  std::filesystem::path durable_;              // the thread's: whose rename is known to be durable
  std::jthread thread_;
};

}  // namespace weir::storage
