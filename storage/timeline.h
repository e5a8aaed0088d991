// How old events are, by time that was seen to pass.
//
// An event carries the machine's clock of when it was received, and that clock may be set, back or ahead, while weir
// runs and between two runs. Retention and the dedupe window go by the store's time instead: a count that begins as
// Unix time, moves with the monotonic clock while a store is open, and between two runs by what the machine was up in
// the meantime. What passed while the machine was off, nobody saw: it does not count.
//
// Once a minute or so a tick says how far the log was at which store time, and what the clock said. An event lies
// between two ticks: if its own stamp, read by the clock of one of them, lies there too, it is believed; if not, the
// event is taken for as young as it can be, so that nothing is forgotten early and no window ends early.
//
// Any thread.
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include "storage/clock.h"
#include "storage/event.h"

namespace weir::storage {

class Timeline {
 public:
  struct Tick {
    Sequence through;  // the end of the log
    std::int64_t at_us;
    std::int64_t unix_us;
    bool operator==(const Tick&) const = default;
  };
  // What a run leaves to the next.
  struct Left {
    std::int64_t at_us = 0;
    std::int64_t unix_us = 0;
    Uptime uptime = {};
  };
  struct Span {
    std::int64_t earliest_us;
    std::int64_t latest_us;
  };

  // Goes on where the last run ended; before the first Tell. `ticks` ascending.
  void GoOn(std::vector<Tick> ticks, const std::optional<Left>& left, const Uptime& uptime);

  // What the clocks say now. Until the first time there is no store time, and stamps are believed as they are.
  void Tell(const Clocks& clocks);
  std::optional<std::int64_t> Now() const;
  // How often the clock was found set by more than limits::kClockStepUs, and by how much the last time.
  struct Steps {
    std::uint64_t count = 0;
    std::int64_t last_us = 0;
  };
  Steps ClockSteps() const;
  Left LeaveOff() const;  // REQUIRES: told

  // When an event was received.
  Span ReceivedAt(Sequence sequence, std::int64_t stamp_us) const;
  // Everything up to here was received at or before `at_us`; kNoSequence where the ticks do not reach as far back.
  Sequence ThroughAt(std::int64_t at_us) const;
  // Events up to here are older than the first tick: nothing but their stamps says when they were received.
  Sequence Untold() const;

  // Notes how far the log is, if it is further than at the last tick. `first`: what is before it is forgotten.
  struct Change {
    std::optional<Tick> added;
    std::vector<Sequence> removed;  // `through` of ticks that are no longer needed
  };
  Change AddTick(Sequence through, Sequence first);

 private:
  std::int64_t NowLocked() const { return start_us_ + (told_->monotonic_us - began_us_); }

  mutable std::mutex mutex_;
  // All under mutex_.
  std::vector<Tick> ticks_;                       // ascending
  std::int64_t start_us_ = 0;                     // the store's time at the first Tell
  bool begun_before_ = false;                     // there was a run that left its time
  std::int64_t began_us_ = 0;                     // monotonic, of the first Tell
  std::optional<Clocks> told_;                    // the last
  std::optional<std::int64_t> unix_expected_us_;  // at the first Tell
  Steps steps_;
  Uptime uptime_;  // about when began_us_ was read
};

}  // namespace weir::storage
