#include "storage/clock.h"

#include <chrono>
#include <fstream>

namespace weir::storage {

Clocks ReadClocks() {
  using std::chrono::duration_cast;
  using std::chrono::microseconds;
  return {.unix_us = duration_cast<microseconds>(std::chrono::system_clock::now().time_since_epoch()).count(),
          .monotonic_us =
              duration_cast<microseconds>(std::chrono::steady_clock::now().time_since_epoch()).count()};
}

Uptime ReadUptime() {
  Uptime uptime;
  double seconds = 0;
  std::ifstream("/proc/sys/kernel/random/boot_id") >> uptime.boot_id;
  if (!(std::ifstream("/proc/uptime") >> seconds)) return {};
  uptime.us = static_cast<std::int64_t>(seconds * 1e6);
  return uptime;
}

}  // namespace weir::storage
