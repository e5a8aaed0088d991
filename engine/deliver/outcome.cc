#include "engine/deliver/outcome.h"

#include "engine/deliver/retry_policy.h"
#include "storage/check.h"

namespace weir::deliver {

Verdict Decide(const sink::Outcome& outcome, std::uint32_t attempts_made, const config::RetryPolicy& policy,
               double spread) {
  switch (outcome.result) {
    case sink::Result::kDelivered:
      return {.kind = Verdict::Kind::kSettle, .reason = {}};
    case sink::Result::kRejected:
      return {.kind = Verdict::Kind::kDead, .reason = outcome.summary};
    case sink::Result::kFailed:
      break;
    case sink::Result::kUnable:
      WEIR_CHECK(false && "not an attempt, so there is nothing to decide");
  }
  const auto delay_ms = NextDelayMs(policy, attempts_made, outcome.retry_after_ms, spread);
  if (!delay_ms) return {.kind = Verdict::Kind::kDead, .reason = std::string(kAttemptsExhausted)};
  return {.kind = Verdict::Kind::kRetry, .retry_in_ms = *delay_ms, .reason = {}};
}

std::string LastOutcome(const sink::Outcome& outcome) {
  if (!outcome.failure) return outcome.summary;
  return outcome.summary + " (" + std::string(observe::FailureReasonName(*outcome.failure)) + ")";
}

std::string LastAnswer(const sink::Outcome& outcome) {
  if (outcome.answer.empty()) return outcome.summary;
  return outcome.summary + ": " + outcome.answer;
}

}  // namespace weir::deliver
