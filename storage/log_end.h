// Whether what is damaged of the write-ahead log is its end that was never synced. A power cut keeps any part of what was
// not: a later block without an earlier one. RocksDB takes only a cut end for that; the rest looks like rot to it.
//
// Nobody waits for what was never synced, so that it may be dropped, with everything behind it. What was synced may not. A
// commit is written once the sync of the one before is done: two of them behind the damage, or one that leaves events
// missing between itself and what is in front of the damage, prove that the damage has been durable.
//
// Internal to storage/.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

#include "storage/disk.h"

namespace weir::storage {

struct UnsyncedEnd {
  std::filesystem::path log;
  std::uint64_t offset;  // of the first byte that is damaged; what is in front of it is whole
};

// nullopt where nothing is damaged, or what is had been synced. Reads the logs up to the damage, and behind it as far as
// it takes.
std::optional<UnsyncedEnd> FindUnsyncedEnd(Disk& disk, const std::filesystem::path& database);

// Puts logs without that end in the place of those that have it; other links to them keep it.
DiskResult<void> DropUnsyncedEnd(Disk& disk, const UnsyncedEnd& end);

}  // namespace weir::storage
