#include "engine/disk_floor.h"

#include <algorithm>

#include "storage/event_store.h"

namespace weir {

std::uint64_t ResumesAbove(std::uint64_t floor_bytes) {
  return floor_bytes + floor_bytes / 8;
}

DiskVerdict JudgeDisk(std::uint64_t free_bytes, std::uint64_t floor_bytes, bool was_storable) {
  const std::uint64_t needed = was_storable ? floor_bytes : ResumesAbove(floor_bytes);
  if (free_bytes <= needed)
    return {.storable = false, .budget_bytes = 0, .settlement_bytes = 0, .merge_bytes = 0};
  constexpr std::uint64_t kShareOfSettlements = 8;
  // A merge takes long, and others fill the disk meanwhile.
  constexpr std::uint64_t kShareOfMerges = 2;
  const std::uint64_t room = free_bytes - floor_bytes;
  const std::uint64_t settlements = room / kShareOfSettlements;
  return {.storable = true,
          .budget_bytes = static_cast<std::int64_t>((room - settlements) / kDiskBytesPerEventByte),
          .settlement_bytes = static_cast<std::int64_t>(settlements / kDiskBytesPerEventByte),
          .merge_bytes = static_cast<std::int64_t>(room / kShareOfMerges)};
}

std::uint64_t MemtableBytesFor(std::uint64_t floor_bytes) {
  constexpr std::uint64_t kMemtablesUnderFloor = storage::kMemtablesUnderFloor;
  constexpr std::uint64_t kSmallest = std::uint64_t{1} << 20;
  constexpr std::uint64_t kLargest = std::uint64_t{64} << 20;
  return std::clamp(floor_bytes / kMemtablesUnderFloor, kSmallest, kLargest);
}

}  // namespace weir
