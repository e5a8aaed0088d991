#include "engine/deliver/delivery.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "engine/deliver/outcome.h"
#include "engine/deliver/route_table.h"
#include "engine/limits.h"
#include "engine/observe/log.h"
#include "engine/sink/open_sink.h"
#include "engine/sink/wait_for_wake.h"
#include "storage/check.h"
#include "storage/event_codec.h"

namespace weir::deliver {

using storage::Sequence;

namespace {

// A position with many settled events above it is a long value; it is written less often.
constexpr std::size_t kLongPosition = 512;
constexpr std::int64_t kLongPositionIntervalMs = 10 * limits::kSettlementIntervalMs;
// Between two tries at a sink that cannot be opened: doubled from the first to the last.
constexpr std::int64_t kReopenSinkFirstMs = 1'000;
constexpr std::int64_t kReopenSinkLastMs = 30'000;
constexpr std::int64_t kDeathLogIntervalMs = 1'000;
// How late a set clock may make a retry. Less is what an NTP daemon slews in passing.
constexpr std::int64_t kClockDriftUs = 250'000;
// A shortage that comes back within this time is the same one, and has been logged.
constexpr std::int64_t kShortageOverMs = 60'000;
constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();

void Write(const std::optional<FailureLog::Line>& line, const std::string& sink) {
  if (!line) return;
  if (line->kind == FailureLog::Line::Kind::kWorksAgain) {
    return observe::log::Info(
        "sink works again",
        {{"sink", sink}, {"failed_attempts", line->failures}, {"for_seconds", line->for_ms / 1000}});
  }
  observe::log::Warn("attempts at a sink fail", {{"sink", sink},
                                                 {"failed_attempts", line->failures},
                                                 {"for_seconds", line->for_ms / 1000},
                                                 {"reason", line->last.reason},
                                                 {"outcome", line->last.outcome},
                                                 {"sequence", line->last.sequence},
                                                 {"attempt", line->last.attempt}});
}

}  // namespace

storage::StoreResult<std::unique_ptr<Delivery>> Delivery::Create(Worker::Wiring wiring,
                                                                 commit::TailQueue& tail,
                                                                 io::EventfdWake& wake, const Now& now) {
  auto ledger =
      SinkLedger::Load(wiring.store, wiring.sink.name, now.unix_us, wiring.sink.retry.max_ms * 1000);
  if (!ledger) return std::unexpected(ledger.error());
  return std::unique_ptr<Delivery>(new Delivery(std::move(wiring), std::move(*ledger), tail, wake, now));
}

Delivery::Delivery(Worker::Wiring wiring, SinkLedger ledger, commit::TailQueue& tail, io::EventfdWake& wake,
                   const Now& now)
    : store_(wiring.store),
      probe_(wiring.probe),
      wake_(wake),
      config_(std::move(wiring.sink)),
      routes_(std::move(wiring.routes)),
      next_config_(config_),
      passed_(now),
      ledger_(std::move(ledger)),
      cursor_(store_, tail, ledger_.window().offset() + 1),
      stop_(config_.name, probe_),
      breaker_(config_.breaker),
      random_(wiring.jitter_seed) {}

void Delivery::Start(const Now& now) {
  FollowClock(now);
  if (next_config_ && flights_.empty()) ReplaceSink(now);
  ActOnDeadLetters(now);
  bool nothing_new = false;
  bool nothing_due = false;
  blocked_ = false;
  for (int steps = 0; steps < kStepsPerTurn && MayStart(now) && !(nothing_new && nothing_due); ++steps) {
    if ((retry_next_ && !nothing_due) || nothing_new) {
      nothing_due = !StartRetry(now);
      retry_next_ = false;
    } else {
      const Step step = StepThroughLog(now);
      nothing_new = step == Step::kNothing;
      retry_next_ = step != Step::kPassed;
    }
  }
}

// Due times are stored as wall times, and an operator reads them as such: when the clock is set they move along.
void Delivery::FollowClock(const Now& now) {
  if (const auto ahead_us = passed_.FollowStep(now, kClockDriftUs)) ledger_.FollowClock(*ahead_us);
}

bool Delivery::MayStart(const Now& now) const {
  return sink_ && !next_config_ && !write_refused_ && now.monotonic_ms >= shortage_until_ms_ &&
         sink_->Capacity() > 0 && breaker_.Ask(now.monotonic_ms) != Breaker::Permit::kNo;
}

bool Delivery::StartRetry(const Now& now) {
  const auto due = ledger_.retries().TakeDue(now.unix_us);
  if (!due) return false;
  const auto record = store_.ReadRecord(due->sequence);
  if (!record) {
    if (record.error().code != storage::StoreErrorCode::kNotFound) {
      HoldRetry(*due, record.error(), now);
      return true;
    }
    Bury({.sink = {},
          .sequence = due->sequence,
          .died_at_us = now.unix_us,
          .attempts = due->attempts,
          .reason = "no longer in the log",
          .last_answer = {}},
         now);
    return true;
  }
  const auto event = storage::Decode(*record);
  if (!event) {
    HoldRetry(*due, {.code = storage::StoreErrorCode::kCorruption, .message = "its record is damaged"}, now);
    return true;
  }
  stop_.RemoveRetry(due->sequence);
  Attempt(*event, due->attempts + 1, false, now);
  return true;
}

// What the disk cannot read costs no attempt.
void Delivery::HoldRetry(const RetrySchedule::Due& due, const storage::StoreError& error, const Now& now) {
  stop_.AddRetry(due.sequence, error);
  ledger_.RetryLater({.sequence = due.sequence,
                      .due_us = now.unix_us + Stop::kLookAgainMs * 1000,
                      .attempts = due.attempts,
                      .last_outcome = "cannot be read"});
}

Delivery::Step Delivery::StepThroughLog(const Now& now) {
  if (stop_.Waits(now.monotonic_ms)) return Step::kNothing;
  const auto peeked = cursor_.Peek(now.monotonic_ms);
  if (!peeked) {
    const Sequence at = peeked.error().sequence;
    stop_.At(at == storage::kNoSequence ? cursor_.next() : at, peeked.error(), now.monotonic_ms);
    return Step::kNothing;
  }
  stop_.GoOn();
  if (*peeked == nullptr) return Step::kNothing;
  const storage::Event& event = **peeked;
  blocked_ = !PassGap(event.sequence, now) || !HasRoomAt(event.sequence, now);
  if (blocked_) return Step::kNothing;
  if (ledger_.window().IsSettled(event.sequence)) {
    cursor_.Advance();
    return Step::kPassed;
  }
  if (!RoutesMatch(routes_, event) || ledger_.retries().Contains(event.sequence)) {
    ledger_.PassBy(event.sequence);
    cursor_.Advance();
    return Step::kPassed;
  }
  blocked_ = ledger_.retries().room() <= flights_from_window_;  // every attempt may end in the schedule
  if (blocked_) return Step::kNothing;
  Attempt(event, 1, true, now);
  cursor_.Advance();
  return Step::kStarted;
}

// Events that the store says no longer exist: the operator accepted their loss when the store was opened, or
// they were forgotten before this sink was configured.
bool Delivery::PassGap(Sequence next_event, const Now& now) {
  for (Sequence gone = cursor_.next(); gone < next_event; ++gone) {
    if (!HasRoomAt(gone, now)) return false;
    if (!ledger_.window().IsSettled(gone)) ledger_.PassBy(gone);
  }
  return true;
}

// What holds the offset back is an attempt under way. When the window above it is full, the schedule takes it
// over, so that one event that hangs does not stop all others.
bool Delivery::HasRoomAt(Sequence sequence, const Now& now) {
  while (!ledger_.window().HasRoomFor(sequence)) {
    const auto found = flights_.find(ledger_.window().offset() + 1);
    WEIR_CHECK(found != flights_.end() && found->second.from_window);
    if (ledger_.retries().room() == 0) return false;
    found->second.from_window = false;
    --flights_from_window_;
    ledger_.ScheduleUnderWay({.sequence = found->first,
                              .due_us = now.unix_us,
                              .attempts = found->second.number - 1,
                              .last_outcome = std::string(kUnderWay),
                              .scheduled_at_us = now.unix_us});
  }
  return true;
}

void Delivery::Attempt(const storage::Event& event, std::uint32_t number, bool from_window, const Now& now) {
  const bool probe = breaker_.MayStart(now.monotonic_ms) == Breaker::Permit::kProbe;
  const bool added = flights_
                         .try_emplace(event.sequence, Flight{.number = number,
                                                             .received_at_us = event.received_at_us,
                                                             .from_window = from_window,
                                                             .probe = probe})
                         .second;
  WEIR_CHECK(added);
  if (from_window) ++flights_from_window_;
  sink_->Start({.token = event.sequence, .event = event, .number = number, .started_at_us = now.unix_us},
               now.monotonic_ms);
}

// The sink's answer stays out of the log: it may echo the payload. One line a second is enough to be noticed;
// a sink that refuses everything must not push everybody else's lines out.
void Delivery::Bury(storage::DeadLetter letter, const Now& now) {
  ++unlogged_deaths_;
  if (!last_death_logged_ms_ || now.monotonic_ms - *last_death_logged_ms_ >= kDeathLogIntervalMs) {
    last_death_logged_ms_ = now.monotonic_ms;
    observe::log::Warn("event dead-lettered", {{"sink", config_.name},
                                               {"sequence", letter.sequence},
                                               {"attempts", letter.attempts},
                                               {"reason", letter.reason},
                                               {"since_last_line", std::exchange(unlogged_deaths_, 0)}});
  }
  probe_.dead_lettered.Add();
  ledger_.Bury(std::move(letter));
}

void Delivery::TurnSink(const Now& now, std::int64_t wait_until_ms) {
  if (!sink_) return sink::WaitForWake(wake_, wait_until_ms - now.monotonic_ms);
  sink_->Turn(now.monotonic_ms, wait_until_ms);
}

void Delivery::Conclude(const Now& now) {
  for (const sink::Outcome& outcome : outcomes_) ConcludeOne(outcome, now);
  outcomes_.clear();
  Write(failures_.OnTime(now.monotonic_ms), config_.name);
}

void Delivery::ConcludeOne(const sink::Outcome& outcome, const Now& now) {
  const Sequence sequence = outcome.token;
  const auto found = flights_.find(sequence);
  WEIR_CHECK(found != flights_.end());
  const Flight flight = found->second;
  flights_.erase(found);
  if (flight.from_window) --flights_from_window_;

  if (outcome.result == sink::Result::kUnable) return PutOff(sequence, flight, outcome, now);
  TellBreaker(flight, outcome, now);
  TellLog(flight, outcome, now);
  probe_.attempt_ns.Record(static_cast<std::uint64_t>(std::max<std::int64_t>(outcome.duration_ns, 0)));
  if (outcome.failure) probe_.failed[static_cast<std::size_t>(*outcome.failure)].Add();

  const double spread = std::uniform_real_distribution<double>(0.0, 1.0)(random_);
  const Verdict verdict = Decide(outcome, flight.number, config_.retry, spread);
  switch (verdict.kind) {
    case Verdict::Kind::kSettle:
      probe_.processed.Add();
      return ledger_.Settle(sequence);
    case Verdict::Kind::kRetry:
      return ledger_.RetryLater({.sequence = sequence,
                                 .due_us = now.unix_us + verdict.retry_in_ms * 1000,
                                 .attempts = flight.number,
                                 .last_outcome = LastOutcome(outcome),
                                 .scheduled_at_us = now.unix_us});
    case Verdict::Kind::kDead:
      return Bury({.sink = {},
                   .sequence = sequence,
                   .died_at_us = now.unix_us,
                   .attempts = flight.number,
                   .reason = verdict.reason,
                   .last_answer = LastAnswer(outcome)},
                  now);
  }
}

// What this machine lacked says nothing about the sink, and costs the event no attempt: it is tried again, and until
// then nothing else is.
void Delivery::PutOff(Sequence sequence, const Flight& flight, const sink::Outcome& outcome, const Now& now) {
  if (flight.probe) breaker_.WithdrawProbe();
  if (now.monotonic_ms >= shortage_until_ms_ + kShortageOverMs) {
    observe::log::Warn("an attempt could not be made and costs none; it is made again when this machine can",
                       {{"sink", config_.name}, {"reason", outcome.summary}});
  }
  shortage_until_ms_ = now.monotonic_ms + sink::kShortageRetryMs;
  probe_.unable.Add();
  ledger_.RetryLater({.sequence = sequence,
                      .due_us = now.unix_us + sink::kShortageRetryMs * 1'000,
                      .attempts = flight.number - 1,
                      .last_outcome = outcome.summary,
                      .scheduled_at_us = now.unix_us});
}

// A sink that refuses one event for good is a sink that works.
void Delivery::TellBreaker(const Flight& flight, const sink::Outcome& outcome, const Now& now) {
  const bool works = outcome.result != sink::Result::kFailed;
  const bool was_closed = breaker_.state() == Breaker::State::kClosed;
  if (flight.probe) {
    breaker_.OnProbe(works, now.monotonic_ms);
  } else {
    breaker_.OnOutcome(works, now.monotonic_ms);
  }
  if (!was_closed || breaker_.state() == Breaker::State::kClosed) return;
  failures_.Announced();
  observe::log::Warn("sink keeps failing; nothing new is attempted until a probe succeeds",
                     {{"sink", config_.name},
                      {"failures", config_.breaker.failures},
                      {"last_failure", LastOutcome(outcome)}});
}

// The sink's answer stays out of the log, as in Bury.
void Delivery::TellLog(const Flight& flight, const sink::Outcome& outcome, const Now& now) {
  if (outcome.result != sink::Result::kFailed) {
    return Write(failures_.OnSuccess(now.monotonic_ms), config_.name);
  }
  const std::string_view reason = outcome.failure ? observe::FailureReasonName(*outcome.failure) : "";
  Write(failures_.OnFailure({.sequence = outcome.token,
                             .attempt = flight.number,
                             .reason = std::string(reason),
                             .outcome = outcome.summary},
                            now.monotonic_ms),
        config_.name);
}

std::int64_t Delivery::NextWriteMs() const {
  if (!ledger_.HasChanges()) return kNever;
  if (write_now_) return last_write_ms_;
  const bool is_long = ledger_.window().settled_above() > kLongPosition;
  return last_write_ms_ + (is_long ? kLongPositionIntervalMs : limits::kSettlementIntervalMs);
}

Delivery::Done Delivery::WriteIfDue(const Now& now) {
  if (now.monotonic_ms < NextWriteMs()) return {};
  last_write_ms_ = now.monotonic_ms;
  write_now_ = false;
  return WriteOnce();
}

Delivery::Done Delivery::WriteRest() {
  while (ledger_.HasChanges()) {
    if (auto written = WriteOnce(); !written) return written;
    if (write_refused_) break;
  }
  return {};
}

Delivery::Done Delivery::WriteOnce() {
  auto written = ledger_.Write(store_);
  const bool refused = !written;
  if (refused && written.error().code != storage::StoreErrorCode::kStalled) return written;
  if (std::exchange(write_refused_, refused) != refused)
    probe_.held.Set(refused ? written.error().message : std::string());
  return {};
}

// The old sink goes first: the new one may need what it holds, as a file its lock.
void Delivery::ReplaceSink(const Now& now) {
  if (now.monotonic_ms < reopen_at_ms_) return;
  sink_.reset();
  if (auto opened = OpenSink(*next_config_); !opened) return WaitToReopen(std::move(opened.error()), now);
  config_ = std::move(*next_config_);
  next_config_.reset();
  probe_.cannot_open.Set("");
  if (std::exchange(reopen_wait_ms_, 0) != 0) {
    observe::log::Info("sink is open; its events are delivered", {{"sink", config_.name}});
  }
}

void Delivery::WaitToReopen(std::string reason, const Now& now) {
  reopen_wait_ms_ =
      reopen_wait_ms_ == 0 ? kReopenSinkFirstMs : std::min(2 * reopen_wait_ms_, kReopenSinkLastMs);
  reopen_at_ms_ = now.monotonic_ms + reopen_wait_ms_;
  observe::log::Error("sink cannot be opened; its events wait",
                      {{"sink", config_.name}, {"reason", reason}, {"tried_again_in_ms", reopen_wait_ms_}});
  probe_.cannot_open.Set(std::move(reason));
}

std::expected<void, std::string> Delivery::OpenSink(const config::Sink& config) {
  auto opened = sink::OpenSink(config, wake_,
                               [this](sink::Outcome outcome) { outcomes_.push_back(std::move(outcome)); });
  if (!opened) return std::unexpected(opened.error());
  sink_ = std::move(*opened);
  return {};
}

bool Delivery::HasEvents(const Now& now) {
  const auto peeked = cursor_.Peek(now.monotonic_ms);
  return !peeked || *peeked != nullptr;  // what cannot be read shows at the next Start
}

std::int64_t Delivery::NextStartMs(const Now& now) const {
  if (next_config_) return flights_.empty() ? reopen_at_ms_ : kNever;
  if (breaker_.Ask(now.monotonic_ms) == Breaker::Permit::kNo && breaker_.state() == Breaker::State::kOpen) {
    return breaker_.reopens_at_ms();
  }
  if (now.monotonic_ms < shortage_until_ms_) return shortage_until_ms_;
  if (!MayStart(now)) return kNever;  // an outcome or a write comes first
  if (skipping_) return now.monotonic_ms;
  std::int64_t at = stop_.look_again_at_ms().value_or(cursor_.look_again_at_ms().value_or(kNever));
  if (const auto due_us = ledger_.retries().NextDueUs()) {
    at = std::min(at, now.monotonic_ms + std::max<std::int64_t>(0, (*due_us - now.unix_us + 999) / 1000));
  }
  return at;
}

void Delivery::UpdateGauges(const Now& now) {
  const SettlementWindow& window = ledger_.window();
  const Sequence last = store_.last_sequence();
  const std::uint64_t settled = window.offset() + window.settled_above();
  probe_.queue_depth.Set(static_cast<std::int64_t>(last > settled ? last - settled : 0));
  probe_.first_attempts.Set(static_cast<std::int64_t>(flights_from_window_));
  probe_.retry_queue_size.Set(static_cast<std::int64_t>(ledger_.retries().size()));
  probe_.breaker_open.Set(breaker_.state() == Breaker::State::kClosed ? 0 : 1);
  const bool resting = breaker_.state() == Breaker::State::kOpen;
  probe_.breaker_until_us.Set(resting ? now.unix_us + (breaker_.reopens_at_ms() - now.monotonic_ms) * 1000
                                      : 0);
  if (const auto dead = store_.CountDeadLetters(config_.name)) {
    probe_.dead_letters.Set(static_cast<std::int64_t>(*dead));
  }
  if (stop_.at()) return;  // the oldest cannot be read: as it was seen last
  // The oldest is under way, or where the cursor stands.
  const auto oldest = flights_.find(window.offset() + 1);
  if (oldest != flights_.end()) {
    probe_.oldest_pending_us.Set(oldest->second.received_at_us);
  } else if (const auto waiting = cursor_.Peek(now.monotonic_ms); waiting) {
    probe_.oldest_pending_us.Set(*waiting != nullptr ? (*waiting)->received_at_us : 0);
  }
}

}  // namespace weir::deliver
