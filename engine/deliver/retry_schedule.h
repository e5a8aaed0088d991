// The retries of one sink: in memory by due time, mirrored to the store. Pure; the caller writes the changes.
//
//   waiting --TakeDue--> under way --Schedule--> waiting again
//                                  --Remove----> gone
//
// A retry under way stays in the store until its outcome is written: a crash in between tries it again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "engine/limits.h"
#include "storage/event_store.h"

namespace weir::deliver {

class RetrySchedule {
 public:
  struct Due {
    storage::Sequence sequence;
    std::uint32_t attempts;  // made so far
  };

  // A log that lost the batch in which a retry took the place of another one holds both: of two for one event the one
  // that is further counts, and the other is taken out of the store with the next changes.
  explicit RetrySchedule(const std::vector<storage::RetryEntry>& stored);

  // After a start, when nobody saw how much time passed: no entry waits longer than the delay it was scheduled
  // with, `longest_us` where that is not known, however far the clock was set back since. Returns how many would
  // have.
  std::size_t Anchor(std::int64_t now_us, std::int64_t longest_us);
  // The wall clock was set, forward by `ahead_us`: due times move along, so that each comes after the time that
  // was meant to pass.
  void FollowClock(std::int64_t ahead_us);

  std::size_t size() const { return entries_.size(); }
  // How many more may be scheduled. What the store held at the start is taken whatever its number.
  std::size_t room() const {
    return entries_.size() >= limits::kRetryScheduleMax ? 0 : limits::kRetryScheduleMax - entries_.size();
  }
  bool Contains(storage::Sequence sequence) const { return entries_.contains(sequence); }

  // Adds an entry, or moves one: waiting at its due time from now on.
  void Schedule(storage::RetryEntry entry);
  // As Schedule, for an attempt that is under way: an entry for the store, not for TakeDue.
  void ScheduleUnderWay(storage::RetryEntry entry);
  // REQUIRES: Contains(sequence).
  void Remove(storage::Sequence sequence);

  // The earliest entry that is due, under way from now on.
  std::optional<Due> TakeDue(std::int64_t now_us);
  std::optional<std::int64_t> NextDueUs() const;

  // Moves what changed since the last call into `batch`. The entry of one event in the store is never two at
  // a time, and a batch never both adds and removes the same key.
  void TakeChanges(storage::SettlementBatch& batch);
  bool HasChanges() const { return !changed_.empty() || !superseded_.empty(); }

 private:
  struct Entry {
    std::int64_t due_us = 0;
    std::uint32_t attempts = 0;
    bool under_way = false;
    std::string last_outcome;
    std::int64_t scheduled_at_us = 0;
  };
  void Put(storage::RetryEntry entry, bool under_way);
  void Move(storage::Sequence sequence, std::int64_t due_us, std::int64_t scheduled_at_us);

  std::unordered_map<storage::Sequence, Entry> entries_;
  std::set<std::pair<std::int64_t, storage::Sequence>> waiting_;
  // What the store has, as long as that differs from entries_: the due time under which the event is stored,
  // if it is.
  std::unordered_map<storage::Sequence, std::optional<std::int64_t>> changed_;
  // Stored beside the entry of the same event, by due time.
  std::set<std::pair<std::int64_t, storage::Sequence>> superseded_;
};

}  // namespace weir::deliver
