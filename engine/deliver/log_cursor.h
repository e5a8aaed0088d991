// The next event to deliver. From the tail queue's groups while they continue where the cursor is, from the
// log where they do not: after a start, after a group was dropped because the queue was full, after the sink
// was slow. Both are the same path, so that a restart is nothing special.
//
// One thread, the worker's.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "engine/commit/queues.h"
#include "storage/event_store.h"

namespace weir::deliver {

class LogCursor {
 public:
  // Both outlive the cursor. `next` is the first sequence it gives.
  LogCursor(const storage::EventStore& store, commit::TailQueue& tail, storage::Sequence next)
      : store_(store), tail_(tail), next_(next) {}

  // Everything below was given and passed.
  storage::Sequence next() const { return next_; }

  // The event at next(), or nullptr when there is none yet. Its sequence is above next() only where the store
  // says that the events in between no longer exist. The views live until Advance. A damaged or gapped log is
  // an error, every time.
  storage::StoreResult<const storage::Event*> Peek(std::int64_t now_ms);
  // Past the event that Peek gave. REQUIRES: Peek gave one.
  void Advance();
  // On to `sequence`, past what Peek could not give. REQUIRES: sequence > next().
  void SkipTo(storage::Sequence sequence);

  // When Peek is worth another try although no wake came; nullopt: a wake will.
  std::optional<std::int64_t> look_again_at_ms() const { return look_again_at_ms_; }

 private:
  bool TakeGroup();
  bool PeekGroup();
  storage::StoreResult<const storage::Event*> ReadLog();

  const storage::EventStore& store_;
  commit::TailQueue& tail_;
  storage::Sequence next_;
  std::optional<storage::Event> current_;  // at next_; views into group_ or reader_

  std::shared_ptr<const commit::CommittedGroup> group_;  // ends behind next_
  std::optional<storage::LogReader> reader_;             // at reader_next_
  storage::Sequence reader_next_ = storage::kNoSequence;
  bool reading_log_ = true;  // until the log's end was reached
  std::optional<std::int64_t> look_again_at_ms_;
};

}  // namespace weir::deliver
