// The time of one turn of a shard, read once and handed down.
#pragma once

#include <cstdint>

namespace weir::ingest {

struct Moment {
  std::int64_t monotonic_ns = 0;  // CLOCK_MONOTONIC
  std::int64_t unix_us = 0;       // CLOCK_REALTIME

  std::int64_t monotonic_ms() const { return monotonic_ns / 1'000'000; }
  std::int64_t unix_s() const { return unix_us / 1'000'000; }
};

}  // namespace weir::ingest
