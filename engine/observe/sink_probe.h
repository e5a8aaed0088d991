// What one delivery worker tells about its sink. Written by that worker's thread only.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "engine/observe/note.h"
#include "engine/observe/probe.h"

namespace weir::observe {

// Label values of webhook_failed_total{sink,reason}.
enum class FailureReason : std::uint8_t {
  kConnect,
  kTimeout,
  kStatus4xx,
  kStatus5xx,
  kThrottled,
  kProtocol,
  kIo,
  kCount
};
std::string_view FailureReasonName(FailureReason reason);

struct SinkProbe {
  std::string sink;
  Counter processed;  // webhook_processed_total: settled by a success
  std::array<Counter, static_cast<std::size_t>(FailureReason::kCount)> failed;
  Counter unable;  // weir_sink_shortage_total: attempts that could not be made, and were not counted as such
  Counter dead_lettered;
  Histogram attempt_ns;     // webhook_processing_duration_seconds
  Gauge queue_depth;        // events of the log not yet settled, scheduled or dead for this sink
  Gauge oldest_pending_us;  // Unix time of the oldest of them; 0 = none
  Gauge retry_queue_size;
  Gauge dead_letters;
  Gauge breaker_open;      // 0 or 1
  Gauge breaker_until_us;  // Unix time of the next probe while it is open; 0 otherwise
  Gauge first_attempts;    // first attempts under way, of events not in the schedule
  Note cannot_open;        // why, while the sink cannot be opened; empty while it is open
  Note held;         // why, while the store takes no settlements and nothing is started; empty otherwise
  Gauge stopped_at;  // sequence of the event that cannot be read; 0 = delivery goes on
};

}  // namespace weir::observe
