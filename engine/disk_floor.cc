#include "engine/disk_floor.h"

#include <algorithm>

namespace weir {

DiskVerdict JudgeDisk(std::uint64_t free_bytes, std::uint64_t floor_bytes, bool was_storable) {
  const std::uint64_t needed = was_storable ? floor_bytes : floor_bytes + floor_bytes / 8;
  if (free_bytes <= needed) return {.storable = false, .budget_bytes = 0};
  return {.storable = true,
          .budget_bytes = static_cast<std::int64_t>((free_bytes - floor_bytes) / kDiskBytesPerEventByte)};
}

std::uint64_t MemtableBytesFor(std::uint64_t floor_bytes) {
  constexpr std::uint64_t kMemtablesUnderFloor = 6;  // as storage::FreeBytesNeeded counts them
  constexpr std::uint64_t kSmallest = std::uint64_t{1} << 20;
  constexpr std::uint64_t kLargest = std::uint64_t{64} << 20;
  return std::clamp(floor_bytes / kMemtablesUnderFloor, kSmallest, kLargest);
}

}  // namespace weir
