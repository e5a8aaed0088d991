// What is appended to one write-ahead log: gathered, and written as frames (wal_frame.h).
//
// One thread appends. Any may sync beside it: what was appended before is durable afterwards. What is appended outlives
// this process once Keep has returned. After an error nothing is believed any more: every further call is an error too.
//
// Internal to storage/.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/disk.h"
#include "storage/wal_frame.h"

namespace weir::storage {

class WalPool;

// A file that frames may be written to, under the name of a segment of a log; the name is durable.
struct WalSegmentFile {
  std::shared_ptr<DiskFile> file;
  WalLife life;
  std::uint64_t bytes;  // that frames may take, the header included
  bool prewritten;      // false: it grows with what is written
};

class WalAppender {
 public:
  // `pool` outlives it. `previous`: the log before this one in the same database, of this process; may be nullptr. All
  // of it is made durable before the first byte is taken here.
  static DiskResult<std::shared_ptr<WalAppender>> Start(std::shared_ptr<Disk> disk, WalPool& pool,
                                                        std::filesystem::path log,
                                                        std::shared_ptr<WalAppender> previous);

  const std::filesystem::path& log() const { return log_; }
  std::uint64_t bytes() const { return bytes_.load(std::memory_order_acquire); }

  DiskResult<void> Append(std::string_view bytes);
  DiskResult<void> Keep();
  DiskResult<void> Sync();
  // Nothing is appended any more, and no segment offered.
  void Close();

  // The pool's thread. Whether the log should have its next segment ahead of need, and giving it one: under that name, or
  // none. Under a lock of its own, so that a log that is closed gets none.
  bool WantsSegment() const;
  using Give = std::function<DiskResult<std::optional<WalSegmentFile>>(const std::filesystem::path& name)>;
  DiskResult<void> Offer(const Give& give);

 private:
  WalAppender(std::shared_ptr<Disk> disk, WalPool& pool, std::filesystem::path log,
              std::shared_ptr<WalAppender> previous);
  struct End {
    std::uint64_t log;
    std::uint64_t frames;
    std::uint64_t bytes;
  };
  DiskResult<End> Finish();
  // Under mutex_.
  DiskResult<void> Begin();
  DiskResult<void> WriteFrame();
  DiskResult<void> WritePiece(std::string_view bytes);
  DiskResult<void> GoOnInNextSegment();
  DiskResult<void> Believed(DiskResult<void> done);

  const std::shared_ptr<Disk> disk_;
  WalPool& pool_;
  const std::filesystem::path log_;
  const std::size_t frame_bytes_max_;

  std::mutex sync_mutex_;  // one sync at a time; taken in front of mutex_

  std::mutex mutex_;
  std::optional<DiskError> failed_;        // under mutex_, as all that follows
  std::shared_ptr<WalAppender> previous_;  // until the first byte
  End before_{};                           // of previous_
  WalSegmentFile segment_;
  std::uint64_t at_ = kWalFramesAt;  // in the segment, of the next frame
  std::uint64_t frames_ = 0;         // written
  std::uint64_t synced_ = 0;         // of them durable
  std::vector<std::shared_ptr<DiskFile>> unsynced_;
  WalLife first_life_{};  // of the first segment, and so of the tail
  // Whole blocks, on a block's boundary: the head of the next frame and what has been appended since the last one.
  struct Freed {
    void operator()(char* bytes) const { std::free(bytes); }
  };
  std::unique_ptr<char, Freed> buffer_;
  std::size_t staged_ = 0;   // bytes behind the head
  std::size_t in_tail_ = 0;  // of these
  std::unique_ptr<DiskFile> tail_;
  std::uint64_t tail_at_ = 0;
  std::string piece_;
  std::atomic<std::uint64_t> bytes_{0};  // appended; written under mutex_

  mutable std::mutex offer_mutex_;      // taken behind mutex_
  bool closed_ = false;                 // under offer_mutex_
  std::uint64_t place_ = 0;             // of segment_ in the chain; written under both
  std::optional<WalSegmentFile> next_;  // under offer_mutex_
  std::atomic<bool> wants_{false};
};

}  // namespace weir::storage
