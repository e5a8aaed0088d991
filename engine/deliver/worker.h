// One thread a sink, so that a sink that hangs holds up nobody else. Reads the log from the sink's durable
// offset, from the tail queue where that still reaches, from the store where it does not: starting up and
// falling behind are the same path.
//
//   log/tail -> route -> window -> Attempt -> Outcome -> settle | retry at | dead letter -> SettlementBatch
#pragma once

#include <atomic>
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "engine/commit/queues.h"
#include "engine/config/config.h"
#include "engine/observe/sink_probe.h"
#include "storage/event_store.h"

namespace weir::deliver {

// Operator actions on one sink's events; executed by its worker so that it stays the only writer of its state.
struct DeadLetterAction {
  enum class Kind : std::uint8_t {
    kRetry,
    kDrop,
    kSkip,  // what cannot be read where the sink has stopped becomes dead letters; `sequences` is empty
  };
  Kind kind;
  std::vector<storage::Sequence> sequences;
};
// The reason of a dead letter that kSkip leaves.
inline constexpr std::string_view kUnreadableReason = "unreadable";

class Worker {
 public:
  struct Wiring {
    storage::EventStore& store;
    config::Sink sink;
    std::vector<config::Route> routes;  // those that lead to this sink
    observe::SinkProbe& probe;
    std::uint64_t jitter_seed;
    // The store failed; the server exits.
    std::function<void(const storage::StoreError&)> on_failure;
  };

  // What the store knows of the sink is loaded here; the sink itself is opened on the worker's thread, which is made
  // here too and waits for Start: a machine that has none to give is an error before anything depends on this worker.
  static storage::StoreResult<std::unique_ptr<Worker>> Create(Wiring wiring);
  ~Worker();

  commit::TailQueue& tail();  // filled by the committer

  void Start();
  // Stops taking new work, waits at most `drain_ms` for attempts in flight, writes what settled, ends the
  // thread.
  void Stop(std::int64_t drain_ms);
  // Any thread: the first half of Stop, so that several workers drain at once, or to cut a drain short. Asked
  // again, the earlier end counts.
  void RequestStop(std::int64_t drain_ms);

  // Any thread; take effect on the worker's next turn.
  void Reconfigure(config::Sink sink, std::vector<config::Route> routes);
  void Submit(DeadLetterAction action);

 private:
  struct State;
  explicit Worker(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace weir::deliver
