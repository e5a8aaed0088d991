// Every event's fate for one sink: which are settled, which wait for a retry, which are dead. In memory, and
// written to the store in batches that are atomic: the offset never passes an event whose fate is not written
// with it or before it.
//
// One thread, the worker's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/deliver/retry_schedule.h"
#include "engine/deliver/settlement_window.h"
#include "storage/event_store.h"

namespace weir::deliver {

// The last outcome of a retry whose attempt is under way.
inline constexpr std::string_view kUnderWay = "under way";

// A dead letter that an operator sends again: due at once, with all its attempts before it.
storage::RetryEntry RetryByOperator(storage::Sequence sequence, std::int64_t now_us);

class SinkLedger {
 public:
  // What the store knows of this sink; one without a position starts at the oldest event of the log. Retries are
  // anchored to `now_us`; `longest_delay_us` is what the sink's policy allows.
  static storage::StoreResult<SinkLedger> Load(const storage::EventStore& store, std::string sink,
                                               std::int64_t now_us, std::int64_t longest_delay_us);

  const SettlementWindow& window() const { return window_; }
  RetrySchedule& retries() { return retries_; }
  const RetrySchedule& retries() const { return retries_; }

  // As RetrySchedule::FollowClock.
  void FollowClock(std::int64_t ahead_us) { retries_.FollowClock(ahead_us); }

  // The cursor passes an event that is not to be attempted from the log: not meant for this sink, or
  // scheduled already.
  void PassBy(storage::Sequence sequence);

  // What became of an attempt. Its event is in the schedule, or unsettled in the window.
  void Settle(storage::Sequence sequence);
  void RetryLater(storage::RetryEntry entry);
  void Bury(storage::DeadLetter letter);

  // An attempt that takes so long that the window is full above it: into the schedule it goes, under way, so
  // that the offset can pass. A crash then tries it again, as it would have without.
  void ScheduleUnderWay(storage::RetryEntry entry);

  // What an operator does with a dead letter; harmless if it is none.
  // Due at once, with no attempts made. REQUIRES: no attempt at it is under way.
  void Revive(storage::Sequence sequence, std::int64_t now_us);
  void Drop(storage::Sequence sequence) { dead_changes_[sequence] = std::nullopt; }

  bool HasChanges() const {
    return unwritten_ || changed_ || retries_.HasChanges() || !dead_changes_.empty();
  }
  // One batch. kStalled: nothing was written and nothing is lost; call again.
  storage::StoreResult<void> Write(storage::EventStore& store);

 private:
  SinkLedger(std::string sink, const storage::SinkPosition& position,
             const std::vector<storage::RetryEntry>& retries)
      : sink_(std::move(sink)), window_(position), retries_(retries) {}
  storage::SettlementBatch TakeBatch();

  std::string sink_;
  SettlementWindow window_;
  RetrySchedule retries_;
  storage::Sequence taken_offset_ = storage::kNoSequence;  // of the last position that went into a batch
  bool changed_ = false;                                   // the window
  std::map<storage::Sequence, std::optional<storage::DeadLetter>> dead_changes_;  // nullopt: no longer dead
  std::optional<storage::SettlementBatch> unwritten_;  // what the store last refused
};

}  // namespace weir::deliver
