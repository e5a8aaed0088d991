#include "engine/deliver/failure_log.h"

#include <utility>

namespace weir::deliver {

std::optional<FailureLog::Line> FailureLog::OnFailure(Failure failure, std::int64_t now_ms) {
  const bool worked = !failing_since_ms_;
  if (worked) {
    failing_since_ms_ = now_ms;
    failures_ = 0;
  }
  if (untold_ == 0) untold_since_ms_ = now_ms;
  ++failures_;
  ++untold_;
  last_ = std::move(failure);
  if (worked && MayTellTurn(now_ms)) return Tell(now_ms);
  return OnTime(now_ms);
}

bool FailureLog::MayTellTurn(std::int64_t now_ms) {
  if (!turns_since_ms_ || now_ms - *turns_since_ms_ >= kLineIntervalMs) {
    turns_since_ms_ = now_ms;
    turns_told_ = 0;
  }
  return turns_told_++ < kTurnsToldMax;
}

std::optional<FailureLog::Line> FailureLog::OnTime(std::int64_t now_ms) {
  if (untold_ == 0) return std::nullopt;
  if (last_line_ms_ && now_ms - *last_line_ms_ < kLineIntervalMs) return std::nullopt;
  return Tell(now_ms);
}

FailureLog::Line FailureLog::Tell(std::int64_t now_ms) {
  last_line_ms_ = now_ms;
  announced_ = failing_since_ms_.has_value();
  return Line{.kind = Line::Kind::kFails,
              .failures = std::exchange(untold_, 0),
              .for_ms = now_ms - failing_since_ms_.value_or(untold_since_ms_),
              .last = last_};
}

std::optional<FailureLog::Line> FailureLog::OnSuccess(std::int64_t now_ms) {
  if (!failing_since_ms_) return std::nullopt;
  const std::int64_t since_ms = *std::exchange(failing_since_ms_, std::nullopt);
  if (!std::exchange(announced_, false)) return std::nullopt;
  return Line{
      .kind = Line::Kind::kWorksAgain, .failures = failures_, .for_ms = now_ms - since_ms, .last = last_};
}

}  // namespace weir::deliver
