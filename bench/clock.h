// The two clocks of a run: one that only goes forward, to measure with, and one that signatures carry.
#pragma once

#include <time.h>

#include <cstdint>

namespace weir::bench {

inline constexpr std::int64_t kSecond_ns = 1'000'000'000;
inline constexpr std::int64_t kMillisecond_ns = 1'000'000;
inline constexpr std::int64_t kMicrosecond_ns = 1'000;

inline std::int64_t MonotonicNow_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * kSecond_ns + now.tv_nsec;
}

inline std::int64_t UnixNow_s() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  return now.tv_sec;
}

}  // namespace weir::bench
