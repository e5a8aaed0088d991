// Which sealed runs are merged next: of one tier, close to each other in time, as many as make one of the next tier. Pure.
//
// Internal to storage/.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "storage/run_store.h"

namespace weir::storage {

// `runs` are those that can be read; a head of `head_events` events makes a run of the lowest tier. None where there is
// nothing to merge, else at least two.
std::vector<std::shared_ptr<const DedupeRun>> ChooseMerge(std::vector<std::shared_ptr<const DedupeRun>> runs,
                                                          const DedupeState& state, std::size_t head_events);

}  // namespace weir::storage
