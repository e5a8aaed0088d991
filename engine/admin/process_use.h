// What the process costs the machine, from /proc/self.
#pragma once

#include <cstdint>

namespace weir::admin {

struct ProcessUse {
  double cpu_seconds = 0;
  std::uint64_t resident_bytes = 0;
  std::uint64_t open_descriptors = 0;
};

// Zeros for what cannot be read.
ProcessUse ReadProcessUse();

}  // namespace weir::admin
