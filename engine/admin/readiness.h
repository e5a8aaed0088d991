// Whether new events can be stored right now, and if not why. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/admin/wiring.h"
#include "engine/ingest/shard.h"
#include "storage/event_store.h"

namespace weir::admin {

// Past it a disk that has not said how much room it has does not answer.
inline constexpr std::int64_t kDiskSilentMs = 2'000;

// Free bytes of the store's disk, and the two bounds between which what was decided last holds.
struct DiskRoom {
  std::uint64_t free_bytes = 0;
  std::uint64_t floor_bytes = 0;    // [server.limits] min_free_disk: nothing is stored below it
  std::uint64_t resumes_above = 0;  // having stopped, storing goes on above it
  std::int64_t silent_ms = 0;       // since the disk said so
};
DiskRoom RoomOf(const storage::DiskReading& reading, const Live& live, std::int64_t monotonic_ms);

// Empty: ready.
std::vector<std::string> ReasonsNotReady(const ingest::Gate& gate, const storage::StoreStatistics& statistics,
                                         const DiskRoom& disk);

}  // namespace weir::admin
