// What a write-ahead log holds: the bytes of its frames one after another, and of its tail behind them.
//
// A log ends in front of the first frame that does not fit, unless something proves that this frame was durable: a later
// frame or the tail of the log that says so, or the log behind it, which is begun only once all of this one is. Then the log is damaged
// there. What lies behind an end was never synced, nobody waits for it, and a power cut keeps any part of it.
//
// Internal to storage/.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "storage/disk.h"

namespace weir::storage {

struct WalExtent {
  enum class State : std::uint8_t {
    kWhole,
    kAltered,  // the bytes are there and not what they were
    kLost,     // nowhere
  };
  std::uint64_t offset;  // in the log
  std::uint64_t bytes;
  State state;
  std::filesystem::path file;  // where they are; empty: nowhere
  std::uint64_t at;            // in that file
};

struct WalChain {
  std::vector<WalExtent> extents;  // without gaps, from offset 0
  std::uint64_t bytes = 0;         // of all of them
  // The first damage: what and where, in the operator's words.
  std::optional<std::string> damage = {};
  // Frames behind the end of which at least the head is there; nothing says that they were ever durable.
  std::uint64_t dropped = 0;
};

// ENOENT where there is no such log. A read that fails is an error, and never an end.
DiskResult<WalChain> ReadWalChain(Disk& disk, const std::filesystem::path& log);

// What an older build wrote: RocksDB's records from the first byte on.
bool IsPlainWal(Disk& disk, const std::filesystem::path& log);

// The chain's bytes as a file: what is there of what was altered, and zeros for what is lost.
DiskResult<std::unique_ptr<DiskFile>> OpenWalChain(Disk& disk, std::shared_ptr<const WalChain> chain);

}  // namespace weir::storage
