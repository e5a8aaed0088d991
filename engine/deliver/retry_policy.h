// When to try again. Pure: the caller brings the random number.
#pragma once

#include <cstdint>
#include <optional>

#include "engine/config/config.h"

namespace weir::deliver {

// How long to wait after `attempts_made` attempts (at least 1), or nullopt: give up.
//
// Exponential from policy.first_ms, clamped to policy.max_ms, spread by ± policy.jitter so that events that
// failed together do not come back together. What the sink asked for with Retry-After can only lengthen that: a 0
// or a date in the past is no leave to spend every attempt at once. It is clamped to the same maximum, and is spread
// upwards only: earlier than asked would be refused again. `spread` is uniform in [0, 1).
std::optional<std::int64_t> NextDelayMs(const config::RetryPolicy& policy, std::uint32_t attempts_made,
                                        std::optional<std::int64_t> retry_after_ms, double spread);

}  // namespace weir::deliver
