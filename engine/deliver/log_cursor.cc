#include "engine/deliver/log_cursor.h"

#include <cstddef>

#include "storage/check.h"
#include "storage/event_codec.h"

namespace weir::deliver {

namespace {

// An event is durable a moment before its group is offered to the tail. Only one that stays away longer was
// dropped.
constexpr std::int64_t kTailGraceMs = 5;

storage::Sequence EndOf(const commit::CommittedGroup& group) {
  return group.first + group.records.size();
}

}  // namespace

storage::StoreResult<const storage::Event*> LogCursor::Peek(std::int64_t now_ms) {
  if (current_) return &*current_;
  const bool have_group = TakeGroup();
  if (have_group && PeekGroup()) {
    reading_log_ = false;
    look_again_at_ms_.reset();
    return &*current_;
  }
  if (next_ > store_.last_sequence()) {
    reading_log_ = false;
    look_again_at_ms_.reset();
    return nullptr;
  }
  // A group further on proves that the ones before it were dropped.
  if (!have_group && !reading_log_) {
    if (!look_again_at_ms_) look_again_at_ms_ = now_ms + kTailGraceMs;
    if (now_ms < *look_again_at_ms_) return nullptr;
  }
  look_again_at_ms_.reset();
  reading_log_ = true;
  return ReadLog();
}

void LogCursor::Advance() {
  WEIR_CHECK(current_.has_value());
  next_ = current_->sequence + 1;
  current_.reset();
}

void LogCursor::SkipTo(storage::Sequence sequence) {
  WEIR_CHECK_GT(sequence, next_);
  next_ = sequence;
  current_.reset();
}

// Makes group_ the first one that ends behind next_.
bool LogCursor::TakeGroup() {
  while (!group_ || EndOf(*group_) <= next_) {
    group_ = tail_.Pop();
    if (!group_) return false;
  }
  return true;
}

bool LogCursor::PeekGroup() {
  if (group_->first > next_) return false;
  const auto& record = group_->records[static_cast<std::size_t>(next_ - group_->first)];
  current_ = storage::Peek(record.bytes, record.size);
  WEIR_CHECK_EQ(current_->sequence, next_);
  return true;
}

storage::StoreResult<const storage::Event*> LogCursor::ReadLog() {
  if (!reader_ || reader_next_ != next_) reader_ = store_.ReadFrom(next_);
  auto event = reader_->Next();
  if (!event) {
    reader_.reset();
    return std::unexpected(event.error());
  }
  if (!*event) return nullptr;
  WEIR_CHECK_GE((*event)->sequence, next_);
  current_ = **event;
  reader_next_ = current_->sequence + 1;
  return &*current_;
}

}  // namespace weir::deliver
