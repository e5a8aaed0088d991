// What an attempt's outcome means for its event. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "engine/config/config.h"
#include "engine/sink/sink.h"

namespace weir::deliver {

struct Verdict {
  enum class Kind : std::uint8_t { kSettle, kRetry, kDead };
  Kind kind;
  std::int64_t retry_in_ms = 0;  // of kRetry
  std::string reason;            // of kDead, as DeadLetter::reason
};

inline constexpr std::string_view kAttemptsExhausted = "attempts_exhausted";

// `attempts_made` counts this one. `spread` is uniform in [0, 1).
Verdict Decide(const sink::Outcome& outcome, std::uint32_t attempts_made, const config::RetryPolicy& policy,
               double spread);

// What an operator reads beside a retry: how the last attempt ended, and what it counts as: "503 (status_5xx)".
std::string LastOutcome(const sink::Outcome& outcome);

// What an operator reads beside a dead letter: how the last attempt ended, and what the sink said.
std::string LastAnswer(const sink::Outcome& outcome);

}  // namespace weir::deliver
