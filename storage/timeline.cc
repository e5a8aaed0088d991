#include "storage/timeline.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "storage/check.h"
#include "storage/limits.h"

namespace weir::storage {

void Timeline::GoOn(std::vector<Tick> ticks, const std::optional<Left>& left, const Uptime& uptime) {
  const std::scoped_lock lock(mutex_);
  WEIR_CHECK(!told_);
  ticks_ = std::move(ticks);
  uptime_ = uptime;
  begun_before_ = left.has_value() || !ticks_.empty();
  start_us_ = 0;
  if (left) {
    const bool same_boot = !uptime.boot_id.empty() && uptime.boot_id == left->uptime.boot_id;
    const std::int64_t passed_us = std::max<std::int64_t>(uptime.us - left->uptime.us, 0);
    start_us_ = left->at_us + (same_boot ? passed_us : 0);
    if (same_boot) unix_expected_us_ = left->unix_us + passed_us;
  }
  if (!ticks_.empty()) start_us_ = std::max(start_us_, ticks_.back().at_us);
}

void Timeline::Tell(const Clocks& clocks) {
  const std::scoped_lock lock(mutex_);
  // Several threads tell, and one of them may have read the clocks before another that was faster.
  if (told_ && clocks.monotonic_us < told_->monotonic_us) return;
  if (!told_) {
    began_us_ = clocks.monotonic_us;
    if (!begun_before_) start_us_ = clocks.unix_us;
  } else {
    unix_expected_us_ = told_->unix_us + (clocks.monotonic_us - told_->monotonic_us);
  }
  const std::int64_t step_us = unix_expected_us_ ? clocks.unix_us - *unix_expected_us_ : 0;
  if (std::abs(step_us) > limits::kClockStepUs) steps_ = {.count = steps_.count + 1, .last_us = step_us};
  told_ = clocks;
}

std::optional<std::int64_t> Timeline::Now() const {
  const std::scoped_lock lock(mutex_);
  if (!told_) return std::nullopt;
  return NowLocked();
}

Timeline::Steps Timeline::ClockSteps() const {
  const std::scoped_lock lock(mutex_);
  return steps_;
}

Timeline::Left Timeline::LeaveOff() const {
  const std::scoped_lock lock(mutex_);
  WEIR_CHECK(told_.has_value());
  return {.at_us = NowLocked(),
          .unix_us = told_->unix_us,
          .uptime = {.boot_id = uptime_.boot_id, .us = uptime_.us + (told_->monotonic_us - began_us_)}};
}

Timeline::Span Timeline::ReceivedAt(Sequence sequence, std::int64_t stamp_us) const {
  const std::scoped_lock lock(mutex_);
  const auto after = std::ranges::lower_bound(ticks_, sequence, {}, &Tick::through);
  const bool last = after == ticks_.end();
  if (last && !told_) return {.earliest_us = stamp_us, .latest_us = stamp_us};
  const std::int64_t latest = last ? NowLocked() : after->at_us;
  if (after == ticks_.begin()) {
    const std::int64_t believed = std::min(stamp_us, latest);
    return {.earliest_us = believed, .latest_us = believed};
  }
  const Tick& before = *std::prev(after);
  const std::int64_t ahead_after = last ? told_->unix_us - latest : after->unix_us - latest;
  std::optional<Span> believed;
  for (const std::int64_t ahead : {ahead_after, before.unix_us - before.at_us}) {
    const std::int64_t at = stamp_us - ahead;
    if (at < before.at_us || at > latest) continue;
    if (!believed) believed = Span{.earliest_us = at, .latest_us = at};
    believed->earliest_us = std::min(believed->earliest_us, at);
    believed->latest_us = std::max(believed->latest_us, at);
  }
  return believed.value_or(Span{.earliest_us = before.at_us, .latest_us = latest});
}

Sequence Timeline::ThroughAt(std::int64_t at_us) const {
  const std::scoped_lock lock(mutex_);
  const auto after = std::ranges::upper_bound(ticks_, at_us, {}, &Tick::at_us);
  return after == ticks_.begin() ? kNoSequence : std::prev(after)->through;
}

Sequence Timeline::Untold() const {
  const std::scoped_lock lock(mutex_);
  return ticks_.empty() ? UINT64_MAX : ticks_.front().through;
}

Timeline::Change Timeline::AddTick(Sequence through, Sequence first) {
  const std::scoped_lock lock(mutex_);
  Change change;
  if (!told_ || (!ticks_.empty() && ticks_.back().through >= through)) return change;
  const Tick tick{.through = through, .at_us = NowLocked(), .unix_us = told_->unix_us};
  change.added = tick;
  // The last one before `first` bounds what `first` may be.
  while (ticks_.size() > 1 && ticks_[1].through < first) {
    change.removed.push_back(ticks_.front().through);
    ticks_.erase(ticks_.begin());
  }
  // Older ticks may lie further apart: an event is then taken for younger by as much.
  if (ticks_.size() >= limits::kTicksMax) {
    std::vector<Tick> kept;
    for (std::size_t i = 0; i < ticks_.size(); ++i) {
      if (i % 2 == 1 && i < ticks_.size() / 2) {
        change.removed.push_back(ticks_[i].through);
      } else {
        kept.push_back(ticks_[i]);
      }
    }
    ticks_ = std::move(kept);
  }
  ticks_.push_back(tick);
  return change;
}

}  // namespace weir::storage
