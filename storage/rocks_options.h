// How RocksDB is opened, for the two files that open it: rocks.cc, where each option stands with its reason, and
// database_repair.cc.
#pragma once

#include <rocksdb/db.h>
#include <rocksdb/options.h>

#include <vector>

#include "storage/rocks.h"

namespace weir::storage {

// `env` outlives the database.
rocksdb::DBOptions DatabaseOptions(const StoreOptions& options, rocksdb::Env* env, bool create,
                                   LogDamage damage);
// All families, in the order in which a new database gives them their numbers. Under any damage but kRefuse two tables
// may hold the same rows: a log that was written out is a table as well as what a repair makes of the log again.
std::vector<rocksdb::ColumnFamilyDescriptor> Descriptors(const StoreOptions& options, LogDamage damage);

}  // namespace weir::storage
