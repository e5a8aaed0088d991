// One sink's delivery, turn by turn: which events to attempt, and what the outcomes mean. No thread and no
// clock of its own; worker.cc brings both.
//
//   Start      due retries and new events, in turns, as far as sink, breaker, window and schedule have room
//   TurnSink   the sink works, and reports outcomes
//   Conclude   outcomes -> settled | retry at | dead
//   Write      what changed, as one batch, at most every limits::kSettlementIntervalMs
#pragma once

#include <cstdint>
#include <deque>
#include <expected>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/clock/clock.h"
#include "engine/commit/queues.h"
#include "engine/config/config.h"
#include "engine/deliver/breaker.h"
#include "engine/deliver/failure_log.h"
#include "engine/deliver/log_cursor.h"
#include "engine/deliver/sink_ledger.h"
#include "engine/deliver/stop.h"
#include "engine/deliver/worker.h"
#include "engine/io/wake.h"
#include "engine/observe/sink_probe.h"
#include "engine/sink/sink.h"
#include "storage/event_store.h"

namespace weir::deliver {

using clock::Now;

class Delivery {
 public:
  // Loads what the store knows of the sink, which is opened by the first Start: a sink that cannot be opened, or
  // whose file system hangs, costs its own thread and nobody else's. `tail` and `wake` outlive the delivery.
  static storage::StoreResult<std::unique_ptr<Delivery>> Create(Worker::Wiring wiring,
                                                                commit::TailQueue& tail,
                                                                io::EventfdWake& wake, const Now& now);

  // Where the store's error is returned, delivery is over: nothing may be asked of this object any more.
  using Done = storage::StoreResult<void>;
  void Start(const Now& now);
  // Lets the sink work, and waits until `wait_until_ms` or a wake at most. What it reports is kept for
  // Conclude.
  void TurnSink(const Now& now, std::int64_t wait_until_ms);
  void Conclude(const Now& now);
  Done WriteIfDue(const Now& now);
  // Before the end: what could not be written, because the store is stalled, will be delivered again.
  Done WriteRest();

  // Takes effect with the next Start; a changed sink only when the attempts under way have ended.
  void Reconfigure(config::Sink sink, std::vector<config::Route> routes);
  void Act(DeadLetterAction action);
  // What was asked for and is not done, for a delivery that takes this one's place. Takes no memory.
  void SwapActions(std::deque<DeadLetterAction>& actions) noexcept {
    actions_.swap(actions);
    acted_ = 0;
  }

  // Whether new events are all that is missing. False while something else is in the way.
  bool WaitsForEvents(const Now& now) const { return MayStart(now) && !blocked_ && !stop_.at(); }
  // Whether there are some, asked after the wake was armed.
  bool HasEvents(const Now& now);
  // When something is to be started, or written, although nobody wakes us.
  std::int64_t NextStartMs(const Now& now) const;
  std::int64_t NextWriteMs() const;
  std::size_t InFlight() const { return flights_.size(); }
  void UpdateGauges(const Now& now);

 private:
  // Events looked at in one turn, so that outcomes and writes get theirs.
  static constexpr int kStepsPerTurn = 4096;
  // An attempt under way, by sequence.
  struct Flight {
    std::uint32_t number;
    std::int64_t received_at_us;
    bool from_window;  // not (yet) in the schedule: holds up the offset
    bool probe;        // the breaker waits for it
  };
  enum class Step : std::uint8_t { kStarted, kPassed, kNothing };

  Delivery(Worker::Wiring wiring, SinkLedger ledger, commit::TailQueue& tail, io::EventfdWake& wake,
           const Now& now);
  bool MayStart(const Now& now) const;
  bool StartRetry(const Now& now);
  void HoldRetry(const RetrySchedule::Due& due, const storage::StoreError& error, const Now& now);
  Step StepThroughLog(const Now& now);
  bool PassGap(storage::Sequence next_event, const Now& now);
  bool HasRoomAt(storage::Sequence sequence, const Now& now);
  void Attempt(const storage::Event& event, std::uint32_t number, bool from_window, const Now& now);
  void ConcludeOne(const sink::Outcome& outcome, const Now& now);
  void PutOff(storage::Sequence sequence, const Flight& flight, const sink::Outcome& outcome, const Now& now);
  void TellBreaker(const Flight& flight, const sink::Outcome& outcome, const Now& now);
  void TellLog(const Flight& flight, const sink::Outcome& outcome, const Now& now);
  void Bury(storage::DeadLetter letter, const Now& now);
  void FollowClock(const Now& now);
  void ReplaceSink(const Now& now);
  void WaitToReopen(std::string reason, const Now& now);
  std::expected<void, std::string> OpenSink(const config::Sink& config);
  void ActOnDeadLetters(const Now& now);
  bool ReviveOne(storage::Sequence sequence, const Now& now);
  bool SkipUnreadable(const Now& now);
  void BuryUnreadable(storage::Sequence sequence, const Now& now);
  // nullopt: it can be read, or is no longer in the log.
  std::optional<storage::StoreError> FaultOf(storage::Sequence sequence) const;
  Done WriteOnce();

  storage::EventStore& store_;
  observe::SinkProbe& probe_;
  io::EventfdWake& wake_;
  config::Sink config_;
  std::vector<config::Route> routes_;
  std::optional<config::Sink> next_config_;  // the sink to be opened, as soon as it can be
  std::int64_t reopen_at_ms_ = 0;            // when a sink that could not be opened is tried again
  std::int64_t reopen_wait_ms_ = 0;          // the last wait before a try; 0 after one that worked
  clock::PassedTime passed_;                 // what the due times in the ledger are true to
  SinkLedger ledger_;
  LogCursor cursor_;
  Stop stop_;
  Breaker breaker_;
  FailureLog failures_;
  std::mt19937_64 random_;

  std::vector<sink::Outcome> outcomes_;  // reported and not concluded; outlives sink_
  std::unique_ptr<sink::Sink> sink_;     // null while it cannot be opened
  std::unordered_map<storage::Sequence, Flight> flights_;
  std::size_t flights_from_window_ = 0;
  bool retry_next_ = true;  // retries and new events take turns
  bool blocked_ = false;    // the next event is there and waits for outcomes
  bool skipping_ = false;   // a kSkip has used up its turn

  std::deque<DeadLetterAction> actions_;
  std::size_t acted_ = 0;  // sequences of actions_.front() that are done
  std::int64_t last_write_ms_ = 0;
  bool write_refused_ = false;  // the store is stalled: nothing is started until a write succeeds
  bool write_now_ = false;
  std::int64_t shortage_until_ms_ =
      INT64_MIN / 2;  // this machine lacked something: nothing is started before
  std::optional<std::int64_t> last_death_logged_ms_;
  std::uint64_t unlogged_deaths_ = 0;
};

}  // namespace weir::deliver
