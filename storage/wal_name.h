// The files of one write-ahead log: "000012.log", "000012.log.1" … are its segments, "000012.log.tail" its tail. Whoever
// asks the disk for "000012.log" means all of them (wal_disk.h).
//
// Internal to storage/.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>

#include "storage/disk.h"

namespace weir::storage {

// "000012.log", and whatever else is called after a log ("000012.log.unordered").
bool IsWal(const std::filesystem::path& file);
// A further segment or a tail.
bool IsWalPiece(const std::filesystem::path& file);
// 12. Of a name that is a log's.
std::uint64_t WalNumber(const std::filesystem::path& log);

std::filesystem::path WalSegment(const std::filesystem::path& log, std::uint64_t place);
std::filesystem::path WalTail(const std::filesystem::path& log);
// The log that a piece belongs to.
std::filesystem::path WalOf(const std::filesystem::path& piece);

// All that is there of a log, whatever is missing in between.
struct WalPieces {
  std::map<std::uint64_t, std::filesystem::path> segments;  // by place
  std::optional<std::filesystem::path> tail;
};
DiskResult<WalPieces> FindWalPieces(const Disk& disk, const std::filesystem::path& log);

}  // namespace weir::storage
