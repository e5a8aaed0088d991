// One ingest thread: its ring, its SO_REUSEPORT listeners, its connections, its verifier. Shares no mutable state with
// another shard on the hot path. Work goes out through the append queue and comes back through the ack queue.
#pragma once

#include <atomic>
#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <vector>

#include "engine/commit/queues.h"
#include "engine/config/config.h"
#include "engine/observe/shard_probe.h"
#include "engine/source/source.h"

namespace weir::ingest {

// What may come in right now, decided outside the shards (disk space, a failed store, draining) and read by all of them.
struct Gate {
  std::atomic<bool> accepting{true};        // false while draining: answers carry Connection: close, nothing new is accepted
  std::atomic<bool> storable{true};         // false: 503 + Retry-After for every event
  std::atomic<std::int64_t> inflight_bytes{0};
  // Bytes that may still be appended before the next look at the free space; shards subtract what they hand over.
  std::atomic<std::int64_t> disk_budget_bytes{INT64_MAX};
};

class Shard {
 public:
  struct Wiring {
    std::uint16_t index;
    std::vector<config::Address> listen;
    config::ServerLimits limits;             // connections already divided by the number of shards
    config::AckMode ack;
    std::shared_ptr<const source::SourceTable> sources;
    commit::AppendQueue& appends;
    Gate& gate;
    observe::ShardProbe& probe;
    std::uint64_t seed;
  };

  // Binds the listeners, so that a port that is taken is an error before anything runs.
  static std::expected<std::unique_ptr<Shard>, std::string> Create(Wiring wiring);
  ~Shard();

  commit::AckQueue& acks();
  std::vector<config::Address> bound() const;  // with the port the kernel chose for port 0

  void Start();
  // Stops accepting, answers what is in flight with Connection: close, ends the thread when no connection is left or after
  // `drain_ms`.
  void Stop(std::int64_t drain_ms);

  // Any thread. Requests whose verification has begun finish under the old table.
  void SwapSources(std::shared_ptr<const source::SourceTable> sources);

 private:
  struct State;
  explicit Shard(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace weir::ingest
