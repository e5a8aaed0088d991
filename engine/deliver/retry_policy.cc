#include "engine/deliver/retry_policy.h"

#include <algorithm>
#include <cmath>

#include "storage/check.h"

namespace weir::deliver {

std::optional<std::int64_t> NextDelayMs(const config::RetryPolicy& policy, std::uint32_t attempts_made,
                                        std::optional<std::int64_t> retry_after_ms, double spread) {
  WEIR_CHECK_GE(attempts_made, 1u);
  if (attempts_made >= policy.attempts) return std::nullopt;

  const auto max = static_cast<double>(policy.max_ms);
  // pow may overflow to infinity after many attempts; min brings it back.
  const double grown =
      static_cast<double>(policy.first_ms) * std::pow(policy.factor, static_cast<double>(attempts_made - 1));
  double delay = std::min(grown, max) * (1.0 + policy.jitter * (2.0 * spread - 1.0));
  if (retry_after_ms) {
    const double asked = std::clamp(static_cast<double>(*retry_after_ms), 0.0, max);
    delay = std::max(delay, asked * (1.0 + policy.jitter * spread));
  }
  return static_cast<std::int64_t>(std::clamp(delay, 0.0, max));
}

}  // namespace weir::deliver
