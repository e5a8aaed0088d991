// Whether the database's tables are the files it made: there, of their size, with an index that can be read, and made
// under their own number. RocksDB asks for no more than the size when it opens, lets a scan pass over a table whose index
// it cannot read as if it were empty, and takes one table's copy under another one's name for that other. What is inside
// is not looked at.
//
// Internal to storage/.
#pragma once

#include <rocksdb/env.h>
#include <rocksdb/metadata.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "storage/disk.h"
#include "storage/keys.h"

namespace weir::storage {

struct BrokenTable {
  std::string name;  // 000012.sst
  Family family;
  std::string state;      // "is missing"
  std::string first_key;  // as the list of tables has it
  std::string last_key;
  bool lacks_bytes;  // missing, cut or another table: not only damaged
};

// "000012.sst is missing (events 1..4500)"
std::string Describe(const BrokenTable& table);

// The number in a table's name; 0 for a name without.
std::uint64_t TableNumberOf(const std::filesystem::path& table);

// The number under which a table was made; 0 where nothing in it says so.
std::uint64_t MadeUnder(const rocksdb::TableProperties& properties);

// Of `tables`, those that `wanted` says yes to. Opens each.
std::vector<BrokenTable> FindBrokenTables(const Disk& disk, const std::filesystem::path& folder,
                                          rocksdb::Env* env,
                                          std::span<const rocksdb::LiveFileMetaData> tables,
                                          const std::function<bool(Family family)>& wanted);

}  // namespace weir::storage
