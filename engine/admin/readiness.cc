#include "engine/admin/readiness.h"

namespace weir::admin {

DiskRoom RoomOf(const storage::DiskReading& reading, const Live& live, std::int64_t monotonic_ms) {
  return {.free_bytes = reading.free_bytes,
          .floor_bytes = live.min_free_disk_bytes,
          .resumes_above = live.disk_resumes_above_bytes,
          .silent_ms = monotonic_ms - reading.monotonic_ms};
}

std::vector<std::string> ReasonsNotReady(const ingest::Gate& gate, const storage::StoreStatistics& statistics,
                                         const DiskRoom& disk) {
  std::vector<std::string> reasons;
  if (!gate.accepting.load(std::memory_order_relaxed))
    reasons.emplace_back("draining: the process is stopping");
  const bool storable = gate.storable.load(std::memory_order_relaxed);
  const bool short_of_room =
      disk.free_bytes < disk.floor_bytes || (!storable && disk.free_bytes <= disk.resumes_above);
  if (short_of_room) {
    reasons.push_back("disk: " + std::to_string(disk.free_bytes) + " bytes free; storing stops below " +
                      std::to_string(disk.floor_bytes) + " (min_free_disk) and resumes above " +
                      std::to_string(disk.resumes_above));
  }
  if (disk.silent_ms > kDiskSilentMs) {
    reasons.push_back("disk: it has not said for " + std::to_string(disk.silent_ms / 1'000) +
                      " s how much room it has");
  }
  if (gate.commit_overdue.load(std::memory_order_relaxed)) {
    reasons.emplace_back("store: the disk does not answer; a commit has been waiting for it for seconds");
  }
  if (!storable && !short_of_room) {
    reasons.emplace_back("store: events cannot be stored; the log says why");
  }
  for (const storage::StoreTrouble& trouble : statistics.troubles) {
    if (trouble.part == storage::StoreTrouble::Part::kHighWater)
      reasons.push_back("store: " + trouble.message);
  }
  if (statistics.write_stopped) reasons.emplace_back("store: compaction is behind, writers wait");
  return reasons;
}

}  // namespace weir::admin
