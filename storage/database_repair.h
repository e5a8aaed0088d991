// What can be done about a database that RocksDB does not open.
#pragma once

#include <filesystem>
#include <set>
#include <string>

#include "storage/rocks.h"

namespace weir::storage {

struct DatabaseDamage {
  std::string what;       // what is damaged, in the operator's words
  std::string gives_up;   // what going on without it costs; completes "It gives up …"
  bool log_only = false;  // the write-ahead log; every table is there
  // Nothing has to be lost: what is damaged is kept twice, or is made again from the log, or is the end of a table of the
  // log whose records can be found without it. The audit has the last word.
  bool recoverable = false;
  std::set<Family> families = {};  // of the damaged tables
};

// Says what is wrong with a database whose open failed with `error`. Changes nothing.
DatabaseDamage ExamineDatabase(const std::filesystem::path& folder, const StoreOptions& options,
                               const StoreError& error);

// Makes the list of tables again from the tables and write-ahead logs that are in `folder`, whatever MANIFEST and
// CURRENT say, and leaves out what cannot be read; of a damaged table of the log, what can be read or found is kept. Reads
// every table once. What is left out is found by the audit.
StoreResult<void> RepairDatabase(const std::filesystem::path& folder, const StoreOptions& options);

}  // namespace weir::storage
