// The database as verify finds it: opened without a change, and its files before what is in them.
//
// Internal to storage/.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "storage/rocks.h"

namespace weir::storage {

struct AuditedDatabase {
  std::unique_ptr<DiskLock> lock;
  std::unique_ptr<Rocks> rocks;
};

// An error says what is damaged, and the way out.
StoreResult<AuditedDatabase> OpenForAudit(const std::filesystem::path& directory,
                                          const std::shared_ptr<Disk>& disk);

// A sentence for each.
std::vector<std::string> DamagedTables(const Rocks& rocks, const std::filesystem::path& directory);

}  // namespace weir::storage
