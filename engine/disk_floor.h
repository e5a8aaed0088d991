// Whether events may still be stored, given the free space of the store's disk. Pure.
//
// This decision stands in front of RocksDB because RocksDB's own is worse: on a full disk Debian's build
// aborts the process. The floor is what RocksDB may still need after everything that writes has stopped: memtables
// to flush, and their logs until then.
#pragma once

#include <cstdint>

namespace weir {

// An event is written twice before its log is freed: to the log, and again when its memtable is flushed.
inline constexpr std::uint64_t kDiskBytesPerEventByte = 2;

struct DiskVerdict {
  bool storable;
  std::int64_t budget_bytes;      // of events that may come in before the disk is looked at again
  std::int64_t settlement_bytes;  // of what deliveries may write until then
  std::int64_t merge_bytes;       // that may be there twice while files are merged
};

// Free bytes above which storing is resumed after it has stopped.
std::uint64_t ResumesAbove(std::uint64_t floor_bytes);

// Below `floor_bytes` nothing is stored; once stopped, it resumes an eighth above the floor, so that the
// answer does not flap with every freed log.
DiskVerdict JudgeDisk(std::uint64_t free_bytes, std::uint64_t floor_bytes, bool was_storable);

// The memtable size that keeps RocksDB's needs under the floor.
std::uint64_t MemtableBytesFor(std::uint64_t floor_bytes);

}  // namespace weir
