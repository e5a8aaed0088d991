// One ingest thread: its ring, its SO_REUSEPORT listeners, its connections, its verifier. Shares no mutable
// state with another shard on the hot path. Work goes out through the append queue and comes back through the
// ack queue.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <vector>

#include "engine/commit/queues.h"
#include "engine/config/config.h"
#include "engine/ingest/gate.h"
#include "engine/ingest/keep_secret.h"
#include "engine/io/ring.h"
#include "engine/observe/shard_probe.h"
#include "engine/quarantine/quarantine.h"
#include "engine/source/source.h"

namespace weir::ingest {

class Shard {
 public:
  struct Wiring {
    std::uint16_t index;
    std::vector<config::Address> listen;
    config::ServerLimits limits;  // connections already divided by the number of shards
    config::AckMode ack;
    std::shared_ptr<const source::SourceTable> sources;
    commit::AppendQueue& appends;
    Gate& gate;
    observe::ShardProbe& probe;
    std::uint64_t seed;
    KeepSecret keep_secret = {};
    quarantine::Quarantine* quarantine = nullptr;  // nullptr: no refused request is kept
  };

  // Binds the listeners, so that a port that is taken is an error before anything runs. Shard 0 asks whether
  // anybody else listens there; the others share its ports.
  static std::expected<std::unique_ptr<Shard>, std::string> Create(Wiring wiring);
  ~Shard();  // Stop(0)

  commit::AckQueue& acks();                    // outlives the thread: the committer may post after Stop
  std::vector<config::Address> bound() const;  // with the port the kernel chose for port 0

  // Returns once the thread serves, or says why it cannot (io_uring forbidden, memlock, descriptors).
  std::expected<void, std::string> Start();

  // Stops accepting, answers what is in flight with Connection: close, ends the thread when no connection is
  // left or after `drain_ms`. Returns when it has ended.
  void Stop(std::int64_t drain_ms);
  // The first half of Stop, for several shards that are to drain at the same time.
  void RequestStop(std::int64_t drain_ms);

  // Any thread. Requests whose verification has begun finish under the old table.
  void SwapSources(std::shared_ptr<const source::SourceTable> sources);

 private:
  struct State;
  explicit Shard(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace weir::ingest
