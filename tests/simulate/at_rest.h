// Damage to a store at rest: one file of it is altered, cut, deleted, exchanged for another of its kind or for an older copy
// of itself. What opens then has to be refused, or to hold everything, or to say of each thing that it does not hold that
// it is damaged. Nothing may be gone in silence.
//
// Of a store that was closed every file is damaged; of one that crashed all but its newest log and its list of tables, whose
// ends look the same damaged and never written.
#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "tests/simulate/crash_images.h"

namespace weir::tests {

struct RestPlan {
  std::uint64_t seed = 1;
  std::size_t steps = 40;  // before the older copies are made, and again before the store is closed
  std::size_t flips = 3;   // of each file
  std::size_t cuts = 2;    // of each file
  bool closed = true;      // false: it crashed
  // What has to be found, because no store can tell: the newest log of a crash damaged as well, and every file older.
  bool newest_log = false;
  bool everything_older = false;
};

struct RestReport {
  std::size_t refused = 0;
  std::size_t told = 0;  // opened, and some of it is said to be damaged
  std::size_t whole = 0;
  std::set<std::string> kinds;          // of the files that were damaged: "MANIFEST", ".log"
  std::vector<std::string> violations;  // at most kViolationsMax
};

RestReport DamageAtRest(const RestPlan& plan, const std::string& keep = {});

}  // namespace weir::tests
