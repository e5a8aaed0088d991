#include "engine/ingest/shard_loop.h"

#include <malloc.h>
#include <time.h>

#include <algorithm>
#include <new>
#include <span>
#include <utility>

#include "engine/ingest/refusal.h"
#include "engine/limits.h"
#include "storage/memory_shortage.h"

namespace weir::ingest {
namespace {

constexpr std::uint16_t kBufferGroup = 0;

std::int64_t ReadClock(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

Moment Now() {
  return {.monotonic_ns = ReadClock(CLOCK_MONOTONIC), .unix_us = ReadClock(CLOCK_REALTIME) / 1'000};
}

}  // namespace

std::expected<std::unique_ptr<ShardLoop>, std::string> ShardLoop::Create(const Wiring& wiring) {
  auto ring = io::Ring::Create(limits::kRingEntries);
  if (!ring) return std::unexpected(ring.error());
  auto placed = std::make_unique<io::Ring>(std::move(*ring));
  auto buffers = io::BufferRing::Create(*placed, {.group = kBufferGroup,
                                                  .count = limits::kReceiveBuffers,
                                                  .buffer_bytes = limits::kReceiveBufferBytes,
                                                  .slack_bytes = limits::kJsonPaddingBytes});
  if (!buffers) return std::unexpected(buffers.error());
  return std::unique_ptr<ShardLoop>(new ShardLoop(wiring, std::move(placed), std::move(*buffers)));
}

ShardLoop::ShardLoop(const Wiring& wiring, std::unique_ptr<io::Ring> ring, io::BufferRing buffers)
    : limits_(wiring.limits),
      gate_(wiring.gate),
      probe_(wiring.probe),
      control_(wiring.control),
      listener_(wiring.listener),
      now_(Now()),
      ring_(std::move(ring)),
      buffers_(std::move(buffers)),
      timers_(now_.monotonic_ms()),
      connections_(
          std::min(wiring.limits.connections + limits::kRefusalConnections, limits::kConnectionsPerShardMax)),
      writer_(wiring.ack),
      answers_(connections_, writer_),
      inflight_(wiring.gate),
      handover_(wiring.index, wiring.appends, wiring.gate),
      intake_({.gate = wiring.gate,
               .probe = wiring.probe,
               .answers = answers_,
               .writer = writer_,
               .handover = handover_,
               .quarantine = wiring.quarantine,
               .inflight = inflight_,
               .inflight_bytes_max = wiring.limits.inflight_bytes,
               .seed = wiring.seed,
               .keep_secret = wiring.keep_secret},
              wiring.sources),
      reader_(intake_, answers_, inflight_, wiring.limits),
      transport_({.ring = *ring_,
                  .buffers = buffers_,
                  .timers = timers_,
                  .connections = connections_,
                  .answers = answers_,
                  .reader = reader_,
                  .gate = wiring.gate,
                  .probe = wiring.probe,
                  .limits = wiring.limits}),
      completions_(limits::kCompletionsPerTurn),
      acks_(limits::kAcksPerTurn),
      refusal_id_(wiring.seed) {
  writer_.SetTime(now_.unix_s());
}

ShardLoop::~ShardLoop() {
  transport_.CloseAll();
}

void ShardLoop::Run() {
  listener_.Arm(*ring_);
  OnWake();
  while (!Finished()) Turn();
}

void ShardLoop::Turn() {
  std::int64_t timeout_ms = limits::kTurnWaitMsMax;
  const std::size_t acks = PrepareWait(timeout_ms);
  const std::size_t count = ring_->SubmitAndReap(completions_, timeout_ms);
  control_.wake.CancelWait();
  now_ = Now();
  writer_.SetTime(now_.unix_s());

  // Before anything of this turn is verified: what was sent after a reload was reported meets its secrets.
  if (control_.sources_swapped.load(std::memory_order_acquire)) TakeSources();
  for (const io::Completion& completion : std::span(completions_).first(count)) {
    try {
      const MayLackMemory here;
      Dispatch(completion);
    } catch (const std::bad_alloc&) {
      transport_.OnShortage(completion, now_);
    }
  }
  HandOver();
  TakeAcks(acks);
  if (gate_.commit_overdue.load(std::memory_order_relaxed)) answers_.GiveUpWaiting();
  RunDeadlines();
  transport_.WriteDue(now_);
  transport_.Replenish();
  inflight_.Publish();
  probe_.ring_overflows.Add(ring_->overflows() - overflows_counted_);
  overflows_counted_ = ring_->overflows();

  // A quiet moment: nothing came in for as long as the ring waits.
  if (count == 0 && acks == 0 && reader_.WorthTrimming()) malloc_trim(0);

  const bool stop = control_.stopping.load(std::memory_order_acquire);
  if (!draining_ && (stop || !gate_.accepting.load(std::memory_order_relaxed))) StartDrain();
  if (draining_ && !backlog_taken_ && listener_.stopped()) {
    backlog_taken_ = true;
    for (io::Descriptor& fd : listener_.TakeBacklog()) Open(std::move(fd));
  }
  if (stop && drain_until_ms_ < 0) {
    drain_until_ms_ = now_.monotonic_ms() + control_.drain_ms.load(std::memory_order_relaxed);
  }
}

// How long the ring may wait. Acknowledgements that are there already are taken out and looked at this turn;
// the queue is only looked at after the sleeping flag is up, or a committer that posts in between would see a
// busy shard and not wake it.
std::size_t ShardLoop::PrepareWait(std::int64_t& timeout_ms) {
  control_.wake.PrepareWait();
  const std::size_t acks = control_.acks.Pop(acks_);
  if (acks > 0) {
    timeout_ms = 0;
    return acks;
  }
  if (transport_.starving()) timeout_ms = 0;
  const std::int64_t now_ms = now_.monotonic_ms();
  const std::int64_t next_timer_ms = timers_.UntilNext(now_ms);
  const auto no_later_than = [&](std::int64_t wait_ms) {
    timeout_ms = std::min(timeout_ms, std::max<std::int64_t>(wait_ms, 1));
  };
  if (next_timer_ms >= 0) no_later_than(next_timer_ms);
  const std::int64_t retry_ms = listener_.Retry(*ring_, now_ms);
  if (retry_ms >= 0) no_later_than(retry_ms - now_ms);
  if (drain_until_ms_ >= 0) no_later_than(drain_until_ms_ - now_ms);
  return 0;
}

void ShardLoop::Dispatch(const io::Completion& completion) {
  switch (completion.user_data.op) {
    case io::Op::kReceive:
      return transport_.OnReceived(completion, now_);
    case io::Op::kSend:
      return transport_.OnSent(completion, now_);
    case io::Op::kAccept:
      return OnAccepted(completion);
    case io::Op::kWake:
      return OnWake();
    case io::Op::kCancel:
      return transport_.OnCancelled(completion, now_);
    case io::Op::kClose:
      return transport_.OnClosed(completion);
    case io::Op::kNone:
    case io::Op::kConnect:
      return;
  }
}

void ShardLoop::OnAccepted(const io::Completion& completion) {
  io::Descriptor fd = listener_.OnAccepted(*ring_, completion, now_.monotonic_ms());
  if (fd.valid()) return Open(std::move(fd));
  if (!listener_.out_of_descriptors()) return;
  const std::size_t refused = listener_.RefuseBacklog(completion.user_data.slot, RefusalText());
  probe_.connections_refused[static_cast<std::size_t>(observe::ConnectionRefusal::kDescriptors)].Add(refused);
}

void ShardLoop::Open(io::Descriptor fd) {
  if (!transport_.Open(fd, now_)) Listener::TurnAway(std::move(fd), RefusalText());
}

std::string_view ShardLoop::RefusalText() {
  refusal_.clear();
  writer_.WriteRefusal(refusal_, {.request_id = refusal_id_, .close = true},
                       RefusalFor(observe::RejectionCode::kOverloaded));
  return refusal_;
}

void ShardLoop::OnWake() {
  ring_->ReadEventfd(control_.wake.fd(), &wake_count_, {io::Op::kWake, 0, 0});
}

void ShardLoop::HandOver() {
  for (const commit::Append& refused : handover_.Push(now_.monotonic_ns)) {
    inflight_.Refund(
        answers_.Refuse(refused.ticket.request, RefusalFor(observe::RejectionCode::kOverloaded)));
  }
}

// `count` acknowledgements were taken out before the wait.
void ShardLoop::TakeAcks(std::size_t count) {
  if (count == 0) count = control_.acks.Pop(acks_);
  for (commit::Committed& committed : std::span(acks_).first(count)) {
    inflight_.Refund(answers_.Complete(std::move(committed)));
  }
}

void ShardLoop::RunDeadlines() {
  due_.clear();
  timers_.Advance(now_.monotonic_ms(), due_);
  for (const std::uint32_t slot : due_) transport_.OnDeadline(slot, now_);
}

void ShardLoop::TakeSources() {
  std::shared_ptr<const source::SourceTable> next;
  {
    const std::scoped_lock lock(control_.sources_mutex);
    control_.sources_swapped.store(false, std::memory_order_relaxed);
    next = std::move(control_.next_sources);
  }
  if (next != nullptr) intake_.UseSources(std::move(next));
}

void ShardLoop::StartDrain() {
  draining_ = true;
  intake_.Drain();
  listener_.Stop(*ring_);
  transport_.Drain(now_);
}

bool ShardLoop::Finished() const {
  if (!control_.stopping.load(std::memory_order_acquire) || drain_until_ms_ < 0) return false;
  if (now_.monotonic_ms() >= drain_until_ms_) return true;
  return listener_.stopped() && backlog_taken_ && connections_.open() == 0;
}

}  // namespace weir::ingest
