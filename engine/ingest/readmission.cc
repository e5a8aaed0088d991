#include "engine/ingest/readmission.h"

#include <poll.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <span>
#include <utility>
#include <variant>
#include <vector>

#include "engine/ingest/refusal.h"
#include "engine/ingest/stored_event.h"
#include "engine/limits.h"
#include "engine/source/captured_request.h"

namespace weir::ingest {
namespace {

// A commit takes one sync. Past this the store hangs, and the event may or may not be in the log.
constexpr std::int64_t kCommitWaitNs = 10'000'000'000;

std::int64_t ClockNs(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

// Why what passed its verification is still no event of this source; empty when it is one.
std::string ReasonAgainst(const source::Source& source, const source::Accepted& accepted) {
  if (accepted.events->empty()) return "the request has no event in it";
  if (accepted.events->size() > limits::kEventsPerRequestMax) return "the request has too many events in it";
  const std::string_view malformed = source::MalformedAndRejected(source, accepted);
  return malformed.empty() ? "" : "malformed_payload: " + std::string(malformed);
}

}  // namespace

Readmission::Readmission(const Wiring& wiring)
    : gate_(wiring.gate),
      sources_(wiring.sources),
      verifier_(wiring.seed),
      handover_(wiring.shard, wiring.appends, wiring.gate) {}

void Readmission::UseSources(std::shared_ptr<const source::SourceTable> sources) {
  const std::scoped_lock lock(mutex_);
  verifier_.Retain(*sources);
  sources_ = std::move(sources);
}

void Readmission::Close() {
  const std::scoped_lock lock(mutex_);
  closed_ = true;
}

std::expected<Readmitted, std::string> Readmission::Admit(const quarantine::Entry& entry, Mode mode) {
  const std::scoped_lock lock(mutex_);
  if (closed_ || !gate_.accepting.load(std::memory_order_relaxed)) {
    return std::unexpected("the server is stopping");
  }
  const source::Source* source = sources_->Find(entry.source);
  if (source == nullptr) return std::unexpected("no source of this name is configured");
  const source::CapturedRequest captured{.method = entry.method,
                                         .target = entry.target,
                                         .headers = source::ParseHeaderBlock(entry.headers),
                                         .body = entry.body};
  const source::CapturedView view(captured);
  const source::Verdict verdict = verifier_.Verify(*source, view.request(), entry.received_at_us);
  if (const auto* rejected = std::get_if<source::Rejected>(&verdict)) {
    const Refusal refusal = RefusalFor(*rejected);
    return std::unexpected(std::string(refusal.name) + ": " + std::string(refusal.message));
  }
  const auto* accepted = std::get_if<source::Accepted>(&verdict);
  if (accepted == nullptr) return std::unexpected("a handshake, which is answered and never stored");
  if (std::string reason = ReasonAgainst(*source, *accepted); !reason.empty()) {
    return std::unexpected(std::move(reason));
  }
  if (mode == Mode::kVerify) return Readmitted{.event_id = std::string(accepted->events->front().id)};
  const std::int64_t now_us = ClockNs(CLOCK_REALTIME) / 1'000;
  std::vector<storage::Event> events;
  for (const source::VerifiedEvent& event : *accepted->events) {
    events.push_back(ToStored(event, source->name, entry.headers, now_us));
  }
  return Commit(events, {.dedupe_window_us = source->dedupe_window_us,
                         .keep_conflicts = source->on_conflict != source::OnConflict::kReject});
}

std::expected<Readmitted, std::string> Readmission::Admit(const storage::Event& event,
                                                          std::int64_t dedupe_window_us,
                                                          const storage::Superseded& instead_of) {
  const std::scoped_lock lock(mutex_);
  if (closed_ || !gate_.accepting.load(std::memory_order_relaxed)) {
    return std::unexpected("the server is stopping");
  }
  storage::Event admitted = event;
  admitted.received_at_us = ClockNs(CLOCK_REALTIME) / 1'000;
  return Commit({&admitted, 1}, {.dedupe_window_us = dedupe_window_us, .instead_of = instead_of});
}

std::expected<Readmitted, std::string> Readmission::Commit(std::span<const storage::Event> events,
                                                           const Handover::Terms& terms) {
  if (!gate_.storable.load(std::memory_order_relaxed) ||
      gate_.commit_overdue.load(std::memory_order_relaxed)) {
    return std::unexpected("events cannot be stored right now");
  }
  const std::uint32_t request = ++requests_;
  handover_.Add({.slot = 0, .generation = 0, .request = request}, events, terms);
  if (!handover_.Push(ClockNs(CLOCK_MONOTONIC)).empty()) {
    return std::unexpected("the committer is too far behind; try again");
  }
  commit::Committed committed;
  if (!AwaitCommit(request, committed)) {
    return std::unexpected("the store does not answer; whether the event is in the log is not known");
  }
  if (committed.unavailable) {
    return std::unexpected("the event cannot be stored right now");
  }
  if (committed.first.outcome == commit::CommitOutcome::kSuperseded) {
    return std::unexpected("it is not there any more: admitted or dropped meanwhile");
  }
  const bool refused = terms.instead_of.has_value() || !terms.keep_conflicts;
  const std::size_t conflicts = committed.Count(commit::CommitOutcome::kConflict);
  if (conflicts > 0 && refused) {
    return std::unexpected("event " + std::to_string(committed.first.sequence) +
                           " has this id and other content; nothing was changed");
  }
  return Readmitted{.event_id = std::string(events.front().id),
                    .sequence = committed.first.sequence,
                    .stored = committed.Count(commit::CommitOutcome::kStored),
                    .duplicates = committed.Count(commit::CommitOutcome::kDuplicate),
                    .conflicts = conflicts};
}

bool Readmission::AwaitCommit(std::uint32_t request, commit::Committed& committed) {
  const std::int64_t give_up_ns = ClockNs(CLOCK_MONOTONIC) + kCommitWaitNs;
  while (ClockNs(CLOCK_MONOTONIC) < give_up_ns) {
    wake_.PrepareWait();
    while (acks_.Pop(std::span(&committed, 1)) == 1) {
      if (committed.ticket.request != request) continue;  // of one that was given up
      wake_.CancelWait();
      return true;
    }
    pollfd waits{.fd = wake_.fd(), .events = POLLIN, .revents = 0};
    constexpr int kLookAgainMs = 1'000;
    if (::poll(&waits, 1, kLookAgainMs) == 1) {
      std::uint64_t count = 0;
      if (::read(wake_.fd(), &count, sizeof count) < 0) continue;
    }
  }
  wake_.CancelWait();
  return false;
}

}  // namespace weir::ingest
