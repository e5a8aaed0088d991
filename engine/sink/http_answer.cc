#include "engine/sink/http_answer.h"

#include <algorithm>

#include "engine/sink/retry_after.h"

namespace weir::sink {

namespace {

// A 503 without Retry-After is as often a crash as a plea for time; it counts as what it says.
observe::FailureReason ReasonFor(int status, bool asked_to_wait) {
  if (status == 429 || (status == 503 && asked_to_wait)) return observe::FailureReason::kThrottled;
  if (status >= 500 && status < 600) return observe::FailureReason::kStatus5xx;
  if (status >= 400 && status < 500) return observe::FailureReason::kStatus4xx;
  return observe::FailureReason::kProtocol;  // a redirect, or a final answer in the 1xx range
}

}  // namespace

Outcome Judge(const http::Response& answer, std::span<const int> dead_letter_statuses,
              std::int64_t now_unix_s) {
  Outcome outcome;
  outcome.summary = std::to_string(answer.status);
  outcome.answer = answer.body_start;
  if (answer.status >= 200 && answer.status < 300) {
    outcome.result = Result::kDelivered;
    return outcome;
  }
  outcome.failure = ReasonFor(answer.status, answer.retry_after.has_value());
  const bool refused = std::ranges::find(dead_letter_statuses, answer.status) != dead_letter_statuses.end();
  outcome.result = refused ? Result::kRejected : Result::kFailed;
  if (outcome.failure == observe::FailureReason::kThrottled && answer.retry_after) {
    outcome.retry_after_ms = ParseRetryAfter(*answer.retry_after, now_unix_s);
  }
  return outcome;
}

}  // namespace weir::sink
