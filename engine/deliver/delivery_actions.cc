// What an operator asks of one sink: another configuration, its dead letters again, or gone, and to go past what cannot
// be read.
#include <set>
#include <string>
#include <utility>

#include "engine/deliver/delivery.h"
#include "storage/event_codec.h"

namespace weir::deliver {

using storage::Sequence;

namespace {

// Whether the same open sink serves both. Everything counts but what is looked at for each attempt, so that a key
// that is added later is not forgotten here.
bool SameSink(const config::Sink& open, config::Sink next) {
  next.retry = open.retry;
  next.breaker = open.breaker;
  next.start = open.start;
  return open == next;
}

}  // namespace

void Delivery::Act(DeadLetterAction action) {
  actions_.push_back(std::move(action));
}

void Delivery::Reconfigure(config::Sink sink, std::vector<config::Route> routes) {
  routes_ = std::move(routes);
  breaker_.SetPolicy(sink.breaker);
  config_.retry = sink.retry;
  config_.breaker = sink.breaker;
  next_config_.reset();
  reopen_at_ms_ = 0;
  reopen_wait_ms_ = 0;
  if (sink_ == nullptr || !SameSink(config_, sink)) next_config_ = std::move(sink);
}

void Delivery::ActOnDeadLetters(const Now& now) {
  while (!actions_.empty()) {
    const DeadLetterAction& action = actions_.front();
    for (; acted_ < action.sequences.size(); ++acted_) {
      const Sequence sequence = action.sequences[acted_];
      switch (action.kind) {
        case DeadLetterAction::Kind::kDrop:
          ledger_.Drop(sequence);
          break;
        case DeadLetterAction::Kind::kRetry:
          if (!ReviveOne(sequence, now)) return;
          break;
        case DeadLetterAction::Kind::kSkip:
          break;
      }
    }
    if (action.kind == DeadLetterAction::Kind::kSkip && !SkipUnreadable(now)) return;
    write_now_ = true;
    actions_.pop_front();
    acted_ = 0;
  }
}

// False while the schedule is full.
bool Delivery::ReviveOne(Sequence sequence, const Now& now) {
  const bool exists = sequence != storage::kNoSequence && sequence <= store_.last_sequence();
  if (!exists || flights_.contains(sequence)) return true;
  if (!ledger_.retries().Contains(sequence) && ledger_.retries().room() <= flights_from_window_) return false;
  ledger_.Revive(sequence, now.unix_us);
  return true;
}

// False when it has not come to an end: a stretch without a readable event can be long.
bool Delivery::SkipUnreadable(const Now& now) {
  skipping_ = false;
  for (const Sequence sequence : std::set(stop_.retries())) {
    stop_.RemoveRetry(sequence);
    if (ledger_.retries().Contains(sequence) && !flights_.contains(sequence) && FaultOf(sequence))
      BuryUnreadable(sequence, now);
  }
  if (!stop_.at()) return true;
  if (!PassGap(*stop_.at(), now)) return false;
  Sequence sequence = *stop_.at();
  for (int steps = 0; steps < kStepsPerTurn; ++steps, ++sequence) {
    const auto fault = sequence > store_.last_sequence() ? std::nullopt : FaultOf(sequence);
    if (!fault) {
      stop_.GoOn();
      return true;
    }
    if (!HasRoomAt(sequence, now)) return false;
    if (!ledger_.window().IsSettled(sequence) && !ledger_.retries().Contains(sequence))
      BuryUnreadable(sequence, now);
    cursor_.SkipTo(sequence + 1);
    stop_.Move(sequence + 1);
  }
  skipping_ = true;
  return false;
}

void Delivery::BuryUnreadable(Sequence sequence, const Now& now) {
  Bury({.sink = {},
        .sequence = sequence,
        .died_at_us = now.unix_us,
        .attempts = 0,
        .reason = std::string(kUnreadableReason),
        .last_answer = {}},
       now);
}

std::optional<storage::StoreError> Delivery::FaultOf(Sequence sequence) const {
  const auto record = store_.ReadRecord(sequence);
  if (!record) {
    if (record.error().code == storage::StoreErrorCode::kNotFound) return std::nullopt;
    return record.error();
  }
  if (const auto event = storage::Decode(*record); event && event->sequence == sequence) return std::nullopt;
  return storage::StoreError{.code = storage::StoreErrorCode::kCorruption,
                             .message = "event " + std::to_string(sequence) + " is damaged",
                             .sequence = sequence};
}

}  // namespace weir::deliver
