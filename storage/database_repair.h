// Makes the list of tables again.
#pragma once

#include <filesystem>
#include <set>

#include "storage/rocks.h"

namespace weir::storage {

// Makes the list of tables again from the tables and write-ahead logs that are in `folder`, whatever MANIFEST and
// CURRENT say, and leaves out what cannot be read and what is a copy of another table. Of a damaged table of the log,
// what can be read or found is kept; of one of what is kept twice, only where both copies are damaged. Reads every table
// once. `broken` is what is known of families with damaged tables; returns all of which something was left out. Events
// that were left out are found by the audit.
StoreResult<std::set<Family>> RepairDatabase(const std::filesystem::path& folder, const StoreOptions& options,
                                             const std::set<Family>& broken);

}  // namespace weir::storage
