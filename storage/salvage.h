// Records of damaged tables. RocksDB checks a block of 32 KiB as a whole and gives out nothing of one that fails; a
// record has checksums of its own and lies in the file in one piece (tables are not compressed), so it can be found
// and proven without RocksDB, and what a flipped bit costs is the one record it hit. A damaged index or footer costs
// none.
//
// A sender can put bytes into a body that are a valid record with any sequence: the checksums have no key. So a
// record counts only where the chain links it to a neighbour, whose checksum no sender knows.
//
// Any thread. Slow (a pass over a table of 64 MiB is a tenth of a second), but the last table's records are remembered.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/rocks.h"

namespace weir::storage {

// Every record of a table that a neighbour proves and that is whole, in the order of their sequences.
StoreResult<void> VisitRecords(
    Disk& disk, const std::filesystem::path& table,
    const std::function<StoreResult<void>(Sequence sequence, std::string_view record)>& visit);

class Salvage {
 public:
  explicit Salvage(Rocks& rocks) : rocks_(rocks) {}

  struct Found {
    std::string record;
    bool whole;  // false: the header is proven, something behind it has changed
  };
  // nullopt: in no table, or its header is damaged.
  std::optional<Found> Find(Sequence sequence);

 private:
  struct Place {
    Sequence sequence;
    std::uint64_t offset;
    std::uint32_t bytes;
    std::uint64_t check;
    std::uint64_t previous;
  };
  std::optional<std::filesystem::path> TableOf(Sequence sequence) const;
  static std::vector<Place> Scan(Disk& disk, const std::filesystem::path& table);
  friend StoreResult<void> VisitRecords(
      Disk& disk, const std::filesystem::path& table,
      const std::function<StoreResult<void>(Sequence sequence, std::string_view record)>& visit);
  static bool Linked(const std::vector<Place>& places, const Place& place);

  Rocks& rocks_;
  std::mutex mutex_;
  std::filesystem::path table_;  // under mutex_: whose records places_ are
  std::vector<Place> places_;    // under mutex_: by sequence
};

}  // namespace weir::storage
