// Time as it is read at a loop's top and passed on as a value. The wall clock says when; how long is said by the
// monotonic clock alone, because the wall clock is set: by hand, by a virtual machine that resumes, by an NTP
// daemon that starts late.
#pragma once

#include <cstdint>
#include <optional>

namespace weir::clock {

// Both clocks, read together.
struct Now {
  std::int64_t monotonic_ms = 0;  // CLOCK_MONOTONIC
  std::int64_t unix_us = 0;       // CLOCK_REALTIME
};

// At the tops of loops only.
Now Read();

// Wall time that moves by what was seen to pass: it starts at the wall clock and goes on with the monotonic one,
// whatever the wall clock is set to meanwhile. One thread.
class PassedTime {
 public:
  explicit PassedTime(const Now& start) : start_(start) {}

  // Unix time, microseconds.
  std::int64_t UnixUs(const Now& now) const {
    return start_.unix_us + (now.monotonic_ms - start_.monotonic_ms) * 1000;
  }
  // How far the wall clock is ahead of it, microseconds; negative when the clock was set back.
  std::int64_t AheadUs(const Now& now) const { return now.unix_us - UnixUs(now); }

  // When the wall clock is `bound_us` away or more, either way: takes it for right from here on, and returns how
  // far it was ahead. What is kept in wall time has to move by as much to come as late as it would have.
  std::optional<std::int64_t> FollowStep(const Now& now, std::int64_t bound_us);

 private:
  Now start_;
};

}  // namespace weir::clock
