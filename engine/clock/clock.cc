#include "engine/clock/clock.h"

#include <chrono>

namespace weir::clock {

Now Read() {
  using namespace std::chrono;
  return {.monotonic_ms = duration_cast<milliseconds>(steady_clock::now().time_since_epoch()).count(),
          .unix_us = duration_cast<microseconds>(system_clock::now().time_since_epoch()).count()};
}

std::optional<std::int64_t> PassedTime::FollowStep(const Now& now, std::int64_t bound_us) {
  const std::int64_t ahead_us = AheadUs(now);
  if (ahead_us < bound_us && ahead_us > -bound_us) return std::nullopt;
  start_ = now;
  return ahead_us;
}

}  // namespace weir::clock
