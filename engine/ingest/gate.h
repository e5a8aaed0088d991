// What may come in right now, decided outside the shards (disk space, a failed store, draining) and read by
// all of them.
#pragma once

#include <atomic>
#include <cstdint>

namespace weir::ingest {

struct Gate {
  // false while draining: answers carry Connection: close, nothing new is accepted
  std::atomic<bool> accepting{true};
  // false: 503 + Retry-After for every event
  std::atomic<bool> storable{true};
  // Bytes held for requests that are not answered yet, all shards together.
  std::atomic<std::int64_t> inflight_bytes{0};
  // Bytes that may still be appended before the next look at the free space; shards subtract what they hand
  // over.
  std::atomic<std::int64_t> disk_budget_bytes{INT64_MAX};
};

}  // namespace weir::ingest
