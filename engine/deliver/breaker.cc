#include "engine/deliver/breaker.h"

#include "storage/check.h"

namespace weir::deliver {

Breaker::Permit Breaker::Ask(std::int64_t now_ms) const {
  switch (state_) {
    case State::kClosed:
      return Permit::kYes;
    case State::kOpen:
      return now_ms >= reopens_at_ms() ? Permit::kProbe : Permit::kNo;
    case State::kHalfOpen:
      return Permit::kNo;
  }
  WEIR_CHECK(false);
}

Breaker::Permit Breaker::MayStart(std::int64_t now_ms) {
  const Permit permit = Ask(now_ms);
  if (permit == Permit::kProbe) state_ = State::kHalfOpen;
  return permit;
}

void Breaker::OnOutcome(bool success, std::int64_t now_ms) {
  if (state_ != State::kClosed) return;
  failures_in_a_row_ = success ? 0 : failures_in_a_row_ + 1;
  if (failures_in_a_row_ >= policy_.failures) Open(now_ms);
}

void Breaker::OnProbe(bool success, std::int64_t now_ms) {
  WEIR_CHECK_EQ(state_, State::kHalfOpen);
  if (!success) return Open(now_ms);
  state_ = State::kClosed;
  failures_in_a_row_ = 0;
}

void Breaker::WithdrawProbe() {
  WEIR_CHECK_EQ(state_, State::kHalfOpen);
  state_ = State::kOpen;
}

void Breaker::Open(std::int64_t now_ms) {
  state_ = State::kOpen;
  opened_at_ms_ = now_ms;
}

}  // namespace weir::deliver
