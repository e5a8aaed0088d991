// Power cuts in the middle of a store's work: what is committed and settled is known, the disk (simulated_disk.h) is what
// it was at some moment and some of what was pending, and the store that opens on it has to hold what was promised.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "tests/simulate/simulated_disk.h"

namespace weir::tests {

struct CrashPlan {
  std::uint64_t seed = 1;
  std::size_t steps = 60;          // commits, settlements and cuts of the log
  std::size_t moments = 12;        // of one run
  std::size_t images_by_seed = 4;  // of one moment, besides all kept and all lost
  std::size_t images_by_unit = 4;  // of one moment: one pending unit alone lost, or alone kept
  std::size_t second_crashes = 2;  // of one moment: power cuts in the middle of the recovery
  std::string lie_about = {};      // part of the names of files whose syncs do nothing: it has to be found
};

struct CrashReport {
  std::size_t images = 0;
  // What an image lost, altered, stored twice or refused; at most kViolationsMax.
  std::vector<std::string> violations;
};
inline constexpr std::size_t kViolationsMax = 10;

// `keep` is a directory of the machine's to which the first image that violates something is written; empty: none is.
CrashReport CutPower(const CrashPlan& plan, const std::string& keep = {});

}  // namespace weir::tests
