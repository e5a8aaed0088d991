#include "engine/deliver/sink_ledger.h"

#include <utility>

#include "engine/observe/log.h"
#include "storage/check.h"

namespace weir::deliver {

using storage::Sequence;

storage::RetryEntry RetryByOperator(Sequence sequence, std::int64_t now_us) {
  return {.sequence = sequence,
          .due_us = now_us,
          .attempts = 0,
          .last_outcome = "retried by operator",
          .scheduled_at_us = now_us};
}

storage::StoreResult<SinkLedger> SinkLedger::Load(const storage::EventStore& store, std::string sink,
                                                  std::int64_t now_us, std::int64_t longest_delay_us) {
  auto position = store.LoadPosition(sink);
  if (!position) {
    if (position.error().code != storage::StoreErrorCode::kNotFound) return std::unexpected(position.error());
    const Sequence oldest = store.Statistics().first_sequence;
    position = storage::SinkPosition{.offset = oldest == storage::kNoSequence ? 0 : oldest - 1, .above = {}};
  }
  // Past the end of a log that lost events (the store only opens such a log when the operator accepted that).
  // Whatever is stored from here on was not delivered, whichever sequences it gets.
  if (const Sequence last = store.last_sequence(); position->offset > last) {
    observe::log::Error("sink's position is past the end of the log; delivering from its end",
                        {{"sink", sink}, {"position", position->offset}, {"last_sequence", last}});
    position->offset = last;
    position->above.clear();
  }
  std::erase_if(position->above, [&](Sequence sequence) { return sequence > store.last_sequence(); });
  auto retries = store.LoadRetries(sink);
  if (!retries) return std::unexpected(retries.error());
  SinkLedger ledger(std::move(sink), *position, *retries);
  if (const std::size_t moved = ledger.retries_.Anchor(now_us, longest_delay_us); moved > 0) {
    observe::log::Warn("the clock was set back since the last run; retries wait for their delay from here on",
                       {{"sink", ledger.sink_}, {"retries", moved}});
  }
  return ledger;
}

void SinkLedger::PassBy(Sequence sequence) {
  window_.Settle(sequence);
  changed_ = true;
}

void SinkLedger::Settle(Sequence sequence) {
  if (retries_.Contains(sequence)) return retries_.Remove(sequence);
  PassBy(sequence);
}

void SinkLedger::RetryLater(storage::RetryEntry entry) {
  if (!retries_.Contains(entry.sequence)) PassBy(entry.sequence);
  retries_.Schedule(std::move(entry));
}

void SinkLedger::Bury(storage::DeadLetter letter) {
  const Sequence sequence = letter.sequence;
  Settle(sequence);
  letter.sink = sink_;
  dead_changes_[sequence] = std::move(letter);
}

void SinkLedger::ScheduleUnderWay(storage::RetryEntry entry) {
  WEIR_CHECK(!retries_.Contains(entry.sequence));
  PassBy(entry.sequence);
  retries_.ScheduleUnderWay(std::move(entry));
}

void SinkLedger::Revive(Sequence sequence, std::int64_t now_us) {
  retries_.Schedule(RetryByOperator(sequence, now_us));
  dead_changes_[sequence] = std::nullopt;
}

storage::SettlementBatch SinkLedger::TakeBatch() {
  storage::SettlementBatch batch;
  batch.sink = sink_;
  if (std::exchange(changed_, false)) {
    batch.position = window_.Position();
    WEIR_CHECK_GE(batch.position->offset, taken_offset_);  // a sink never goes back by itself
    taken_offset_ = batch.position->offset;
  }
  retries_.TakeChanges(batch);
  for (auto& [sequence, letter] : std::exchange(dead_changes_, {})) {
    if (letter) {
      batch.dead_added.push_back(std::move(*letter));
    } else {
      batch.dead_removed.push_back(sequence);
    }
  }
  return batch;
}

storage::StoreResult<void> SinkLedger::Write(storage::EventStore& store) {
  if (!unwritten_) unwritten_ = TakeBatch();
  auto written = store.Settle(*unwritten_);
  if (written) unwritten_.reset();
  return written;
}

}  // namespace weir::deliver
