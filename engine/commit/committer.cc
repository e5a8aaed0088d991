#include "engine/commit/committer.h"

#include <time.h>

#include <algorithm>
#include <new>
#include <span>
#include <utility>

#include "engine/limits.h"
#include "engine/observe/log.h"
#include "storage/check.h"
#include "storage/event_codec.h"
#include "storage/memory_shortage.h"
#include "storage/start_thread.h"

namespace weir::commit {
namespace {

constexpr std::int64_t kUnreadableLineEveryNs = 60'000'000'000;

std::int64_t MonotonicNs() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

CommitOutcome OutcomeOf(storage::AppendOutcome outcome) {
  switch (outcome) {
    case storage::AppendOutcome::kStored:
      return CommitOutcome::kStored;
    case storage::AppendOutcome::kDuplicate:
      return CommitOutcome::kDuplicate;
    case storage::AppendOutcome::kConflict:
    case storage::AppendOutcome::kConflictNotKept:
      return CommitOutcome::kConflict;
    case storage::AppendOutcome::kSuperseded:
      return CommitOutcome::kSuperseded;
    case storage::AppendOutcome::kUnreadable:
      return CommitOutcome::kUnavailable;
  }
  return CommitOutcome::kUnavailable;
}

// Whether the store may be asked again after this error. A stall passes; anything else may have left bytes on
// disk whose fate is unknown, so no later commit may be acked by this process.
bool Passes(storage::StoreErrorCode code) {
  switch (code) {
    case storage::StoreErrorCode::kStalled:
      return true;
    case storage::StoreErrorCode::kLocked:
    case storage::StoreErrorCode::kFormat:
    case storage::StoreErrorCode::kDataLoss:
    case storage::StoreErrorCode::kCorruption:
    case storage::StoreErrorCode::kIo:
    case storage::StoreErrorCode::kNotFound:
      return false;
  }
  return false;
}

}  // namespace

Committer::Committer(Wiring wiring) : wiring_(std::move(wiring)), acknowledger_(wiring_.shards) {
  popped_.resize(limits::kCommitGroupEventsMax);
}

Committer::~Committer() {
  Stop();
}

std::expected<void, std::string> Committer::Start() {
  WEIR_CHECK(!thread_.joinable());
  auto started = StartThread("committer", [this](const std::stop_token&) { Run(); });
  if (!started) return std::unexpected(started.error());
  thread_ = std::move(*started);
  return {};
}

void Committer::Stop() {
  if (!thread_.joinable()) return;
  stopping_.store(true, std::memory_order_seq_cst);
  wiring_.appends.wake().Notify();
  thread_.join();
}

void Committer::SetTails(std::vector<TailQueue*> tails) {
  const std::scoped_lock lock(tails_mutex_);
  tails_ = std::move(tails);
}

void Committer::Run() {
  io::FutexWake& wake = wiring_.appends.wake();
  while (true) {
    const std::size_t count = wiring_.appends.Pop(popped_);
    if (count > 0) {
      CommitAll(std::span(popped_).first(count));
      continue;
    }
    wake.PrepareWait();
    if (wiring_.appends.waiting() > 0) {
      wake.CancelWait();
    } else if (stopping_.load(std::memory_order_seq_cst)) {
      return;
    } else {
      wake.Wait();
    }
  }
}

void Committer::CommitAll(std::span<Append> appends) {
  std::size_t begin = 0;
  while (begin < appends.size()) {
    std::size_t end = begin;
    std::size_t events = 0;
    std::size_t bytes = 0;
    do {
      events += appends[end].record_count;
      bytes += appends[end].bytes;
      ++end;
    } while (end < appends.size() && events + appends[end].record_count <= limits::kCommitGroupEventsMax &&
             bytes + appends[end].bytes <= limits::kCommitGroupBytesMax);
    CommitGroup(appends.subspan(begin, end - begin));
    begin = end;
  }
}

void Committer::CommitGroup(std::span<Append> group) {
  const std::int64_t started_ns = MonotonicNs();
  wiring_.probe.under_way_since_ns.Set(started_ns);
  const bool committed = !failed_ && Gather(group, started_ns) && Store(started_ns);
  wiring_.probe.under_way_since_ns.Set(0);
  Answer(group, committed);
  try {
    const MayLackMemory here;
    if (committed) Publish(group);
  } catch (const std::bad_alloc&) {  // NOLINT(bugprone-empty-catch): workers miss a group, and read the log
  }
  for (Append& append : group) append.slab.reset();
}

// Splits every request into its records. False: there is no memory to do it with.
bool Committer::Gather(std::span<const Append> group, std::int64_t now_ns) {
  records_.clear();
  std::size_t records = 0;
  for (const Append& append : group) records += append.record_count;
  try {
    const MayLackMemory here;
    records_.reserve(records);
    results_.resize(records);
  } catch (const std::bad_alloc&) {
    return false;
  }
  for (const Append& append : group) {
    char* record = append.records;
    std::size_t size = append.first_record_bytes;
    for (std::uint16_t i = 0; i < append.record_count; ++i) {
      if (i > 0) size = storage::RecordSize(record);
      records_.push_back({.record = record,
                          .size = size,
                          .dedupe_window_us = append.dedupe_window_us,
                          .keep_conflict = append.keep_conflicts,
                          .instead_of = append.instead_of});
      record += size;
    }
    WEIR_CHECK(record == append.records + append.bytes);
    wiring_.probe.wait_ns.Record(
        static_cast<std::uint64_t>(std::max<std::int64_t>(now_ns - append.enqueued_ns, 0)));
  }
  return true;
}

bool Committer::Store(std::int64_t started_ns) {
  wiring_.store.Tell(storage::ReadClocks());
  const auto stored = wiring_.store.Commit(records_, results_);
  if (stored) {
    wiring_.probe.batch_events.Record(records_.size());
    wiring_.probe.sync_ns.Record(static_cast<std::uint64_t>(MonotonicNs() - started_ns));
    return true;
  }
  if (!Passes(stored.error().code)) {
    failed_ = true;
    if (wiring_.on_failure) wiring_.on_failure(stored.error());
  }
  return false;
}

void Committer::Answer(std::span<const Append> group, bool committed) {
  std::size_t next = 0;
  for (const Append& append : group) {
    WEIR_CHECK_GT(append.record_count, 0u);
    if (committed) {
      acknowledger_.Hold(append.shard, AnswerTo(append, next));
    } else {
      wiring_.probe.unavailable.Add(append.record_count);
      acknowledger_.Hold(append.shard, {.ticket = append.ticket, .first = {}});
    }
    next += append.record_count;
  }
  if (committed) WEIR_CHECK_EQ(next, results_.size());
  acknowledger_.Release(wiring_.store.last_sequence());
  // Nothing rests on what is not durable once its commit is done.
  WEIR_CHECK(!acknowledger_.holds_any());
}

Committed Committer::AnswerTo(const Append& append, std::size_t next) {
  WEIR_CHECK_LE(next + append.record_count, results_.size());
  Committed answer{.ticket = append.ticket, .unavailable = false, .first = Count(results_[next])};
  if (append.record_count > 1) answer.further.reserve(append.record_count - 1u);
  for (std::size_t i = next + 1; i < next + append.record_count; ++i)
    answer.further.push_back(Count(results_[i]));
  const auto rest_on = [&answer](const EventResult& result) {
    answer.unavailable |= result.outcome == CommitOutcome::kUnavailable;
    answer.rests_on = std::max(answer.rests_on, result.sequence);
  };
  rest_on(answer.first);
  for (const EventResult& result : answer.further) rest_on(result);
  if (append.keep_conflicts && !append.instead_of) {
    for (std::size_t i = next; i < next + append.record_count; ++i)
      ReportConflict(records_[i], results_[i], append.enqueued_ns);
  }
  return answer;
}

EventResult Committer::Count(const storage::AppendResult& result) {
  EventResult counted{.outcome = OutcomeOf(result.outcome), .sequence = result.sequence};
  switch (result.outcome) {
    case storage::AppendOutcome::kStored:
      wiring_.probe.stored.Add();
      break;
    case storage::AppendOutcome::kDuplicate:
      wiring_.probe.duplicates.Add();
      break;
    case storage::AppendOutcome::kConflictNotKept:
      wiring_.probe.conflicts_dropped.Add();
      [[fallthrough]];
    case storage::AppendOutcome::kConflict:
      wiring_.probe.conflicts.Add();
      break;
    case storage::AppendOutcome::kUnreadable:
      // The whole request comes again; what of it was stored is then a duplicate. A damaged index may name anything.
      counted.sequence = storage::kNoSequence;
      wiring_.probe.unreadable.Add();
      ReportUnreadable(result.sequence);
      break;
    case storage::AppendOutcome::kSuperseded:
      break;
  }
  return counted;
}

// Whoever sends that id sends it again and again; one line a minute is enough to be seen.
void Committer::ReportUnreadable(storage::Sequence sequence) {
  ++unreported_;
  const std::int64_t now_ns = MonotonicNs();
  if (reported_at_ns_ && now_ns - *reported_at_ns_ < kUnreadableLineEveryNs) return;
  reported_at_ns_ = now_ns;
  observe::log::Error(
      "a request is answered 503: the stored event it may repeat cannot be read; "
      "weir verify says what is damaged, weir verify --repair what can be done",
      {{"sequence", sequence}, {"requests", std::exchange(unreported_, 0)}});
}

void Committer::ReportConflict(const storage::AppendRecord& record, const storage::AppendResult& result,
                               std::int64_t now_ns) {
  const bool kept = result.outcome == storage::AppendOutcome::kConflict;
  if (!kept && result.outcome != storage::AppendOutcome::kConflictNotKept) return;
  conflict_log_.Report(storage::Peek(record.record, record.size), result.sequence, kept, now_ns);
}

// Hands the stored events to every delivery worker. Slabs of requests without a new event are let go.
void Committer::Publish(std::span<const Append> group) {
  const std::scoped_lock lock(tails_mutex_);
  if (tails_.empty()) return;
  auto published = std::make_shared<CommittedGroup>();
  published->records.reserve(records_.size());
  std::size_t next = 0;
  for (const Append& append : group) {
    bool kept = false;
    for (std::size_t i = 0; i < append.record_count; ++i, ++next) {
      if (results_[next].outcome != storage::AppendOutcome::kStored) continue;
      if (published->records.empty()) published->first = results_[next].sequence;
      WEIR_CHECK_EQ(results_[next].sequence, published->first + published->records.size());
      published->records.push_back({.bytes = records_[next].record, .size = records_[next].size});
      published->bytes += records_[next].size;
      kept = true;
    }
    if (kept && (published->slabs.empty() || published->slabs.back() != append.slab)) {
      published->slabs.push_back(append.slab);
    }
  }
  if (published->records.empty()) return;
  const std::shared_ptr<const CommittedGroup> shared = std::move(published);
  for (TailQueue* tail : tails_) tail->Offer(shared);
}

}  // namespace weir::commit
