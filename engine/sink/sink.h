// A sink: somewhere events go. Two real kinds today (http, file). A sink takes attempts and reports outcomes;
// what an outcome means (settle, retry at, dead letter) is decided in engine/deliver, the same for every
// kind.
//
// Threads: made on any thread; every call after that, the destructor included, on the delivery worker that
// owns the sink.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "engine/observe/sink_probe.h"
#include "storage/event.h"

namespace weir::sink {

// Until what this machine lacked is asked for again.
inline constexpr std::int64_t kShortageRetryMs = 1'000;

// One try at one event. The event's bytes live until Start returns: a sink copies what it still needs.
struct Attempt {
  std::uint64_t token = 0;  // handed back with the outcome
  storage::Event event;
  std::uint32_t number = 1;        // weir-attempt: 1 is the first
  std::int64_t started_at_us = 0;  // Unix time, microseconds
};

enum class Result : std::uint8_t {
  kDelivered,
  kFailed,    // try again later
  kRejected,  // the sink will never take it: dead letter at once
  // This machine lacked something (descriptors, memory, threads, addresses) before the sink was asked: no attempt.
  kUnable,
};

struct Outcome {
  std::uint64_t token = 0;
  Result result = Result::kFailed;
  std::optional<observe::FailureReason> failure;  // of kFailed and kRejected
  std::optional<std::int64_t> retry_after_ms;     // the sink asked for it
  std::string summary;                            // "503", "timeout after 10s", "connection refused"
  std::string answer;                             // first bytes of its answer
  std::int64_t duration_ns = 0;
};

class Sink {
 public:
  // Must not call back into the sink.
  using Report = std::function<void(Outcome)>;
  virtual ~Sink() = default;

  // How many more attempts may be started now.
  virtual std::size_t Capacity() const = 0;
  // Starts one. REQUIRES: Capacity() > 0. Its outcome is reported later, from Turn, never from inside Start.
  virtual void Start(const Attempt& attempt, std::int64_t now_ms) = 0;
  // Makes what was started durable or sends it, reaps what finished, enforces timeouts; waits at most until
  // `wait_until_ms` (CLOCK_MONOTONIC, as now_ms) or until the worker's wake. Reports outcomes.
  virtual void Turn(std::int64_t now_ms, std::int64_t wait_until_ms) = 0;
  // Attempts started and not yet reported. What is in flight when the sink is destroyed is never reported.
  virtual std::size_t InFlight() const = 0;
};

}  // namespace weir::sink
