// RocksDB's write-ahead log as files, before RocksDB sees them: what it would meet with an assertion is a sentence.
#pragma once

#include <cstdint>
#include <expected>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "storage/disk.h"

namespace weir::storage {

// By their numbers, the oldest first.
std::vector<std::filesystem::path> LogsInOrder(Disk& disk, const std::filesystem::path& database);

// RocksDB's sequence number of the first batch of the oldest log; nullopt: there is none, or its beginning is damaged.
std::optional<std::uint64_t> FirstLogged(Disk& disk, const std::filesystem::path& database);

// Refuses a log that begins no later than one with a smaller number: a copy, or an older log under a newer name.
// RocksDB numbers its logs in the order of what is in them, and aborts where that does not hold.
std::expected<void, std::string> CheckLogOrder(Disk& disk, const std::filesystem::path& database);

// Gives the logs their numbers in the order of what is in them. Of two that begin alike the longer stays, and of the
// numbers the largest are kept: RocksDB passes over a log whose number is below those its list of tables knows.
DiskResult<void> PutLogsInOrder(Disk& disk, const std::filesystem::path& database);

// Whether every record of every log is as it was written; a last one that was cut off counts as never written. Reads them
// all.
bool LogsAreWhole(Disk& disk, const std::filesystem::path& database);

}  // namespace weir::storage
