#include "engine/deliver/retry_schedule.h"

#include <utility>

#include "storage/check.h"

namespace weir::deliver {

using storage::Sequence;

RetrySchedule::RetrySchedule(const std::vector<storage::RetryEntry>& stored) {
  entries_.reserve(stored.size());
  for (const storage::RetryEntry& entry : stored) {
    entries_[entry.sequence] = {.due_us = entry.due_us, .attempts = entry.attempts, .last_outcome = {}};
    waiting_.emplace(entry.due_us, entry.sequence);
  }
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
          .last_outcome = std::move(entry.last_outcome)};
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
    Entry& entry = found->second;
    if (stored_due_us && *stored_due_us != entry.due_us)
      batch.retries_removed.emplace_back(*stored_due_us, sequence);
    batch.retries_added.push_back({.sequence = sequence,
                                   .due_us = entry.due_us,
                                   .attempts = entry.attempts,
                                   .last_outcome = std::exchange(entry.last_outcome, {})});
  }
  changed_.clear();
}

}  // namespace weir::deliver
