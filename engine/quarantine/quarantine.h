// Refused requests on their way to the shelf. A shard hands over a copy and goes on; one thread writes. When
// it falls behind, what does not fit is dropped and counted: evidence is worth less than ingest.
#pragma once

#include <concurrentqueue/concurrentqueue.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>

#include "engine/io/wake.h"
#include "engine/observe/probe.h"
#include "engine/quarantine/shelf.h"

namespace weir::quarantine {

// Requests waiting for the writer; passed by at most one request a shard.
inline constexpr std::int64_t kQueueBytesMax = std::int64_t{16} << 20;

class Quarantine {
 public:
  // `storable`: false while the disk has no room; nothing is written then. Outlives this.
  Quarantine(std::filesystem::path directory, const std::atomic<bool>& storable)
      : shelf_(std::move(directory)), storable_(storable) {}
  ~Quarantine();  // Stop()

  std::expected<void, std::string> Start();
  // Writes what is queued, then ends the thread. Shards must have stopped.
  void Stop();

  // Any thread; never waits. False when the writer is too far behind.
  bool Offer(std::unique_ptr<Entry> entry, std::uint64_t bound_bytes);

  Shelf& shelf() { return shelf_; }

  // Written by the writer, but for the overflow.
  struct Probe {
    observe::Counter kept;
    observe::Counter evicted;    // the oldest, to make room
    observe::Counter unwritten;  // no room on the disk, larger than the bound, or an error
    std::atomic<std::uint64_t> overflowed{0};
  };
  const Probe& probe() const { return probe_; }

 private:
  struct Item {
    std::unique_ptr<Entry> entry;
    std::uint64_t bound_bytes = 0;
  };

  void Run();
  void Write(const Item& item);

  Shelf shelf_;
  const std::atomic<bool>& storable_;
  Probe probe_;
  moodycamel::ConcurrentQueue<Item> queue_;
  alignas(64) std::atomic<std::int64_t> waiting_bytes_{0};
  std::atomic<std::int64_t> waiting_{0};
  io::FutexWake wake_;
  std::atomic<bool> stopping_{false};
  bool complained_ = false;
  std::jthread thread_;
};

}  // namespace weir::quarantine
