#include "engine/admin/readiness.h"

namespace weir::admin {

std::vector<std::string> ReasonsNotReady(const ingest::Gate& gate, const storage::StoreStatistics& statistics,
                                         std::uint64_t disk_free_bytes, std::uint64_t min_free_disk_bytes) {
  std::vector<std::string> reasons;
  if (!gate.accepting.load(std::memory_order_relaxed))
    reasons.emplace_back("draining: the process is stopping");
  const bool below_floor = disk_free_bytes < min_free_disk_bytes;
  if (below_floor) {
    reasons.push_back("disk: " + std::to_string(disk_free_bytes) + " bytes free, " +
                      std::to_string(min_free_disk_bytes) + " needed (min_free_disk)");
  }
  if (gate.commit_overdue.load(std::memory_order_relaxed)) {
    reasons.emplace_back("store: the disk does not answer; a commit has been waiting for it for seconds");
  }
  if (!gate.storable.load(std::memory_order_relaxed) && !below_floor) {
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
