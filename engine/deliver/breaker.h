// Stops the flood to a sink that is down. Pure state machine; time is an argument (any monotonic
// milliseconds).
//
//   closed     attempts flow; `failures` in a row open it
//   open       nothing is attempted until `open_ms` have passed
//   half-open  one attempt, the probe, is under way; its outcome closes or reopens
//
// Only the probe decides while it is not closed: attempts that were started before it opened still report,
// but they say how the sink was, not how it is.
#pragma once

#include <cstdint>

#include "engine/config/config.h"

namespace weir::deliver {

class Breaker {
 public:
  enum class State : std::uint8_t { kClosed, kOpen, kHalfOpen };
  enum class Permit : std::uint8_t {
    kNo,
    kYes,
    kProbe,  // yes, once; hand its outcome in with OnProbe
  };

  explicit Breaker(config::Breaker policy) : policy_(policy) {}

  // What MayStart would say, without taking the probe.
  Permit Ask(std::int64_t now_ms) const;
  // Asks for one attempt. After kProbe the answer is kNo until that attempt's outcome.
  Permit MayStart(std::int64_t now_ms);

  void OnOutcome(bool success, std::int64_t now_ms);
  void OnProbe(bool success, std::int64_t now_ms);
  // The probe was never made: the next attempt is one.
  void WithdrawProbe();

  // A reload. A breaker that is open stays open, for what is left of the new duration.
  void SetPolicy(config::Breaker policy) { policy_ = policy; }

  State state() const { return state_; }
  // When an open breaker lets the probe through.
  std::int64_t reopens_at_ms() const { return opened_at_ms_ + policy_.open_ms; }

 private:
  void Open(std::int64_t now_ms);

  config::Breaker policy_;
  State state_ = State::kClosed;
  std::uint32_t failures_in_a_row_ = 0;
  std::int64_t opened_at_ms_ = 0;
};

}  // namespace weir::deliver
