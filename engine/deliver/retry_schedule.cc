#include "engine/deliver/retry_schedule.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "storage/check.h"

namespace weir::deliver {

using storage::Sequence;

RetrySchedule::RetrySchedule(const std::vector<storage::RetryEntry>& stored) {
  entries_.reserve(stored.size());
  for (const storage::RetryEntry& entry : stored) {
    const auto [place, added] = entries_.try_emplace(entry.sequence);
    Entry& kept = place->second;
    if (!added) {
      const bool later = std::pair(entry.attempts, entry.due_us) > std::pair(kept.attempts, kept.due_us);
      superseded_.emplace(later ? kept.due_us : entry.due_us, entry.sequence);
      if (!later) continue;
      waiting_.erase({kept.due_us, entry.sequence});
    }
    kept = {.due_us = entry.due_us,
            .attempts = entry.attempts,
            .last_outcome = entry.last_outcome,
            .scheduled_at_us = entry.scheduled_at_us};
    waiting_.emplace(entry.due_us, entry.sequence);
  }
}

std::size_t RetrySchedule::Anchor(std::int64_t now_us, std::int64_t longest_us) {
  std::size_t moved = 0;
  const auto waiting = std::vector(waiting_.upper_bound({now_us, 0}), waiting_.end());
  for (const auto& [due_us, sequence] : waiting) {
    const Entry& entry = entries_.at(sequence);
    const std::int64_t delay_us =
        entry.scheduled_at_us == 0 ? longest_us : std::max<std::int64_t>(0, due_us - entry.scheduled_at_us);
    if (due_us <= now_us + delay_us) continue;
    Move(sequence, now_us + delay_us, now_us);
    ++moved;
  }
  return moved;
}

void RetrySchedule::FollowClock(std::int64_t ahead_us) {
  for (const auto& [due_us, sequence] : std::vector(waiting_.begin(), waiting_.end())) {
    const std::int64_t scheduled_at_us = entries_.at(sequence).scheduled_at_us;
    Move(sequence, due_us + ahead_us, scheduled_at_us == 0 ? 0 : scheduled_at_us + ahead_us);
  }
}

// REQUIRES: it waits.
void RetrySchedule::Move(Sequence sequence, std::int64_t due_us, std::int64_t scheduled_at_us) {
  const Entry& entry = entries_.at(sequence);
  Put({.sequence = sequence,
       .due_us = due_us,
       .attempts = entry.attempts,
       .last_outcome = entry.last_outcome,
       .scheduled_at_us = scheduled_at_us},
      false);
}

void RetrySchedule::Schedule(storage::RetryEntry entry) {
  Put(std::move(entry), false);
}

void RetrySchedule::ScheduleUnderWay(storage::RetryEntry entry) {
  Put(std::move(entry), true);
}

void RetrySchedule::Put(storage::RetryEntry entry, bool under_way) {
  const Sequence sequence = entry.sequence;
  const auto [place, added] = entries_.try_emplace(sequence);
  Entry& kept = place->second;
  changed_.try_emplace(sequence, added ? std::nullopt : std::optional(kept.due_us));
  if (!added) waiting_.erase({kept.due_us, sequence});
  kept = {.due_us = entry.due_us,
          .attempts = entry.attempts,
          .under_way = under_way,
          .last_outcome = std::move(entry.last_outcome),
          .scheduled_at_us = entry.scheduled_at_us};
  if (!under_way) waiting_.emplace(kept.due_us, sequence);
}

void RetrySchedule::Remove(Sequence sequence) {
  const auto found = entries_.find(sequence);
  WEIR_CHECK(found != entries_.end());
  changed_.try_emplace(sequence, found->second.due_us);
  waiting_.erase({found->second.due_us, sequence});
  entries_.erase(found);
}

std::optional<RetrySchedule::Due> RetrySchedule::TakeDue(std::int64_t now_us) {
  if (waiting_.empty() || waiting_.begin()->first > now_us) return std::nullopt;
  const Sequence sequence = waiting_.begin()->second;
  waiting_.erase(waiting_.begin());
  Entry& entry = entries_.at(sequence);
  WEIR_CHECK(!entry.under_way);
  WEIR_CHECK_LE(entry.due_us, now_us);
  entry.under_way = true;
  return Due{.sequence = sequence, .attempts = entry.attempts};
}

std::optional<std::int64_t> RetrySchedule::NextDueUs() const {
  if (waiting_.empty()) return std::nullopt;
  return waiting_.begin()->first;
}

void RetrySchedule::TakeChanges(storage::SettlementBatch& batch) {
  for (const auto& [sequence, stored_due_us] : changed_) {
    const auto found = entries_.find(sequence);
    if (found == entries_.end()) {
      if (stored_due_us) batch.retries_removed.emplace_back(*stored_due_us, sequence);
      continue;
    }
    const Entry& entry = found->second;
    if (stored_due_us && *stored_due_us != entry.due_us)
      batch.retries_removed.emplace_back(*stored_due_us, sequence);
    batch.retries_added.push_back({.sequence = sequence,
                                   .due_us = entry.due_us,
                                   .attempts = entry.attempts,
                                   .last_outcome = entry.last_outcome,
                                   .scheduled_at_us = entry.scheduled_at_us});
    superseded_.erase({entry.due_us, sequence});
  }
  changed_.clear();
  for (const auto& key : std::exchange(superseded_, {})) batch.retries_removed.push_back(key);
}

}  // namespace weir::deliver
