// Damage to a store at rest: one file of a store that was closed is altered, cut, deleted, exchanged for another or for an
// older copy of itself. What opens then has to be refused, or to hold everything, or to say of each thing that it does not
// hold that it is damaged. Nothing may be gone in silence.
#pragma once

#include <cstddef>
#include <cstdint>

#include "tests/simulate/crash_images.h"

namespace weir::tests {

struct RestPlan {
  std::uint64_t seed = 1;
  std::size_t steps = 40;      // before the older copies are made, and again before the store is closed
  std::size_t mutations = 60;  // each of the store as it was closed
};

struct RestReport {
  std::size_t refused = 0;
  std::size_t told = 0;  // opened, and some of it is said to be damaged
  std::size_t whole = 0;
  std::vector<std::string> violations;  // at most kViolationsMax
};

RestReport DamageAtRest(const RestPlan& plan, const std::string& keep = {});

}  // namespace weir::tests
