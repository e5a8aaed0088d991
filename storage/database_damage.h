// What is wrong with a database that RocksDB does not open, and what going on without it costs.
#pragma once

#include <filesystem>
#include <set>
#include <string>
#include <string_view>

#include "storage/rocks.h"

namespace weir::storage {

struct DatabaseDamage {
  std::string what;       // what is damaged, in the operator's words
  std::string gives_up;   // what going on without it costs; completes "It gives up …"
  bool log_only = false;  // the write-ahead log; every table is there
  bool log_sound = false;
  bool lacks_log = false;  // a whole one, or all behind some place in one
  // Nothing has to be lost: what is damaged is kept twice, or is made again from the log, or is the end of a table of the
  // log whose records can be found without it. The audit has the last word.
  bool recoverable = false;
  std::set<Family> families = {};  // of the damaged tables
};

// Whether an open failed for what is stored; an error of the disk, or somebody else's lock, says nothing about that.
bool IsDamage(const StoreError& error);

// Says what is wrong with a database whose open failed with `error`. Changes nothing.
DatabaseDamage ExamineDatabase(const std::filesystem::path& folder, const StoreOptions& options,
                               const StoreError& error);

// What can be done about what was refused; `gives_up` as in DatabaseDamage.
std::string WayOut(std::string_view gives_up);
// The same for somebody who reads a store without opening it for good.
std::string WayOut(const DatabaseDamage& damage);

// Whether of everything that is kept twice one copy is whole, when tables of `broken` are not.
bool KeepsOneCopy(const std::set<Family>& broken);
inline constexpr std::string_view kPriceOfBothCopies =
    "what both copies say of deliveries there: a sink whose position was there gets the log from its "
    "beginning, retries and dead letters there are gone, or come back though they were settled";

inline constexpr std::string_view kPriceOfTableList =
    "no event whose table or log is whole: the list is made again from them. Retries and dead letters that "
    "were settled "
    "shortly before may come back";

inline constexpr std::string_view kPriceOfLogOrder =
    "the shorter of two logs that begin alike; the others are put in the order of what is in them";

}  // namespace weir::storage
