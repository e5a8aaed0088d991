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
  // true: a commit has been under way for longer than a sound disk takes. 503 + Retry-After for every event, those
  // that wait for that commit included; it may yet succeed, and then a retry is a duplicate.
  std::atomic<bool> commit_overdue{false};
  // Open connections of senders, all shards together, and how many there may be: the configuration's limit or what
  // the process has descriptors for. So many more may be open for a moment, to be told that there is no room, or
  // while the kernel closes those that made room.
  std::atomic<std::int64_t> connections{0};
  std::atomic<std::int64_t> connections_max{INT64_MAX / 2};
  std::atomic<std::int64_t> refusals_max{0};
  // Bytes held for requests that are not answered yet, all shards together.
  std::atomic<std::int64_t> inflight_bytes{0};
  // Bytes that may still be appended before the next look at the free space; shards subtract what they hand
  // over.
  std::atomic<std::int64_t> disk_budget_bytes{INT64_MAX};
};

}  // namespace weir::ingest
