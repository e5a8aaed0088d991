// Clocks, read by loops that own a thread and passed down as values.
#pragma once

#include <cstdint>
#include <string>

namespace weir::storage {

struct Clocks {
  std::int64_t unix_us = 0;       // what anybody may set, to anything, at any time
  std::int64_t monotonic_us = 0;  // what passes; of no meaning outside the process
};
Clocks ReadClocks();

// Which boot of the machine this is and how long it has been up, asleep or not: what tells how much time passed
// between two runs, whatever was done to the clock.
struct Uptime {
  std::string boot_id = {};  // empty: not known
  std::int64_t us = 0;
};
Uptime ReadUptime();

}  // namespace weir::storage
