#include "engine/sink/http_sink.h"

#include <algorithm>
#include <bit>
#include <chrono>
#include <limits>
#include <utility>

#include "engine/limits.h"
#include "engine/sink/http_answer.h"
#include "engine/sink/http_message.h"
#include "engine/sink/wait_for_wake.h"
#include "storage/check.h"

namespace weir::sink {

namespace {

constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();
// user_data of what belongs to no connection.
constexpr io::UserData kWakeTag{io::Op::kWake, 0, 0};
constexpr io::UserData kCancelTag{io::Op::kCancel, 0, 0};

std::int64_t MonotonicNs() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

std::int64_t UnixSeconds() {
  return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

std::string DurationText(std::int64_t ms) {
  return ms % 1000 == 0 ? std::to_string(ms / 1000) + "s" : std::to_string(ms) + "ms";
}

}  // namespace

std::expected<std::unique_ptr<HttpSink>, std::string> HttpSink::Create(const config::Sink& config,
                                                                       io::EventfdWake& wake, Report report) {
  auto url = http::ParseUrl(config.url);
  if (!url) return std::unexpected("url: " + url.error());
  if (url->https) {
    return std::unexpected(
        "url: https sinks are not supported; use http:// to a proxy on this host that speaks TLS for it");
  }
  std::optional<WebhookSigner> signer;
  if (!config.secrets.empty()) {
    auto keyed = WebhookSigner::Create(config.secrets.front());
    if (!keyed) return std::unexpected(keyed.error());
    signer = std::move(*keyed);
  }
  return std::unique_ptr<HttpSink>(
      new HttpSink(config, std::move(*url), std::move(signer), wake, std::move(report)));
}

HttpSink::HttpSink(const config::Sink& config, http::Url url, std::optional<WebhookSigner> signer,
                   io::EventfdWake& wake, Report report)
    : timeout_ms_(config.timeout_ms),
      dead_letter_statuses_(config.dead_letter_statuses),
      url_(std::move(url)),
      signer_(std::move(signer)),
      forwarded_(config.forward),
      wake_(wake),
      report_(std::move(report)),
      resolver_(url_.host, url_.port, wake),
      next_deadline_ms_(kNever) {
  slots_.resize(std::clamp<std::size_t>(config.concurrency, 1, limits::kSinkConcurrencyMax));
  for (std::size_t i = slots_.size(); i > 0; --i) free_.push_back(static_cast<std::uint32_t>(i - 1));
}

// The kernel writes into buffers of this object until its completions are back.
HttpSink::~HttpSink() {
  if (!ring_) return;
  for (Slot& slot : slots_) {
    if (slot.connection) slot.connection->Close(*ring_);
  }
  if (wake_armed_) ring_->Cancel(kWakeTag, kCancelTag);
  const auto open = [](const Slot& slot) {
    return slot.connection && slot.connection->state() != HttpConnection::State::kFree;
  };
  while (wake_armed_ || std::ranges::any_of(slots_, open)) {
    const std::size_t count = ring_->SubmitAndReap(completions_, -1);
    for (const io::Completion& completion : std::span(completions_).first(count)) {
      if (completion.user_data.op == io::Op::kWake) wake_armed_ = false;
      Slot& slot = slots_[completion.user_data.slot];
      if (slot.connection && slot.connection->generation() == completion.user_data.generation) {
        slot.connection->OnCompletion(*ring_, completion);
      }
    }
  }
}

bool HttpSink::EnsureRing() {
  if (ring_) return true;
  // A send, a receive and a cancel for each connection, and the wake. Fewer entries only mean more
  // submissions.
  const auto wanted = std::bit_ceil(static_cast<unsigned>(slots_.size() * 3 + 2));
  auto ring = io::Ring::Create(std::min(wanted, limits::kSinkRingEntries));
  if (!ring) {
    ring_problem_ = std::move(ring.error());
    return false;
  }
  ring_.emplace(std::move(*ring));
  return true;
}

std::size_t HttpSink::Capacity() const {
  return in_flight_bytes_ >= limits::kSinkInFlightBytes ? 0 : free_.size() + idle_.size();
}

void HttpSink::Start(const Attempt& attempt, std::int64_t now_ms) {
  WEIR_CHECK(Capacity() > 0);
  const bool kept = !idle_.empty();
  std::vector<std::uint32_t>& from = kept ? idle_ : free_;
  const std::uint32_t index = from.back();
  from.pop_back();

  Slot& slot = slots_[index];
  if (!slot.connection) {
    slot.connection = std::make_unique<HttpConnection>(index, limits::kSinkAnswerKeptBytes);
  }
  slot.busy = true;
  slot.token = attempt.token;
  slot.started_ns = MonotonicNs();
  slot.deadline_ms = now_ms + timeout_ms_;
  slot.connect_deadline_ms = kNever;
  slot.on_kept_connection = kept;
  slot.next_address = 0;
  ++in_flight_;
  next_deadline_ms_ = std::min(next_deadline_ms_, slot.deadline_ms);

  BuildRequest(slot.connection->request(), attempt, url_,
               {.forwarded = &forwarded_, .signer = signer_ ? &*signer_ : nullptr});
  slot.request_bytes = slot.connection->request().size();
  in_flight_bytes_ += slot.request_bytes;
  if (kept) return slot.connection->BeginExchange(*ring_);
  ConnectNext(index, now_ms);
}

// Opens the attempt's connection to the next address it has not tried. What this machine lacks for it is not the
// sink's failure.
void HttpSink::ConnectNext(std::uint32_t index, std::int64_t now_ms) {
  Slot& slot = slots_[index];
  if (!EnsureRing()) {
    Unable(index, ring_problem_);
    return free_.push_back(index);
  }
  switch (resolver_.Ask(now_ms)) {
    case Resolver::State::kKnown:
      break;
    case Resolver::State::kAsking:
      slot.resolving = true;
      ++resolving_;
      return;
    case Resolver::State::kUnknown:
      Unable(index, resolver_.problem());
      return free_.push_back(index);
  }
  const auto& addresses = resolver_.addresses();
  const std::size_t which = std::min(slot.next_address++, addresses.size() - 1);
  slot.connect_deadline_ms = std::min(slot.deadline_ms, now_ms + limits::kSinkConnectTimeoutMs);
  next_deadline_ms_ = std::min(next_deadline_ms_, slot.connect_deadline_ms);
  if (!slot.connection->Connect(*ring_, addresses[which])) {
    Unable(index, slot.connection->problem());
    free_.push_back(index);
  }
}

void HttpSink::ConnectResolved(std::int64_t now_ms) {
  if (resolving_ == 0 || resolver_.Ask(now_ms) == Resolver::State::kAsking) return;
  for (std::uint32_t index = 0; index < slots_.size(); ++index) {
    if (!slots_[index].resolving) continue;
    slots_[index].resolving = false;
    --resolving_;
    ConnectNext(index, now_ms);
  }
}

void HttpSink::Turn(std::int64_t now_ms, std::int64_t wait_until_ms) {
  std::int64_t wait_ms = std::max<std::int64_t>(0, std::min(wait_until_ms, next_deadline_ms_) - now_ms);
  if (!finished_.empty()) wait_ms = 0;
  if (EnsureRing()) {
    Reap(wait_ms);
  } else {
    WaitForWake(wake_, wait_ms);
  }
  const std::int64_t after_ms = MonotonicNs() / 1'000'000;
  ConnectResolved(after_ms);
  if (after_ms >= next_deadline_ms_) EnforceDeadlines(after_ms);
  ReportFinished();
}

void HttpSink::Reap(std::int64_t timeout_ms) {
  if (!wake_armed_) {
    wake_armed_ = true;
    ring_->ReadEventfd(wake_.fd(), &wake_value_, kWakeTag);
  }
  std::size_t count = ring_->SubmitAndReap(completions_, timeout_ms);
  const std::int64_t now_ms = MonotonicNs() / 1'000'000;
  while (true) {
    for (const io::Completion& completion : std::span(completions_).first(count)) Handle(completion, now_ms);
    if (count < completions_.size()) return;
    count = ring_->SubmitAndReap(completions_, 0);
  }
}

void HttpSink::Handle(const io::Completion& completion, std::int64_t now_ms) {
  if (completion.user_data.op == io::Op::kWake) {
    wake_armed_ = false;
    return;
  }
  const std::uint32_t index = completion.user_data.slot;
  Slot& slot = slots_[index];
  if (!slot.connection || slot.connection->generation() != completion.user_data.generation) return;
  const bool was_idle = slot.connection->state() == HttpConnection::State::kIdle;
  OnEvent(index, slot.connection->OnCompletion(*ring_, completion), now_ms);
  if (was_idle && slot.connection->state() != HttpConnection::State::kIdle) std::erase(idle_, index);
  if (slot.connection->state() == HttpConnection::State::kFree) OnFreed(index, now_ms);
}

void HttpSink::OnEvent(std::uint32_t index, HttpConnection::Event event, std::int64_t now_ms) {
  Slot& slot = slots_[index];
  switch (event) {
    case HttpConnection::Event::kNone:
      return;
    case HttpConnection::Event::kConnected:
      slot.connect_deadline_ms = kNever;
      return slot.connection->BeginExchange(*ring_);
    case HttpConnection::Event::kConnectFailed:
      if (HasNextAddress(slot, now_ms)) return;  // OnFreed connects to it
      if (slot.connection->connect_lacked_something()) return Unable(index, slot.connection->problem());
      return Fail(index, observe::FailureReason::kConnect, slot.connection->problem());
    case HttpConnection::Event::kStatus:
      return OnStatus(index, now_ms);
    case HttpConnection::Event::kAnswered:
      if (slot.busy) Finish(index, Judge(slot.connection->answer(), dead_letter_statuses_, UnixSeconds()));
      if (slot.connection->state() == HttpConnection::State::kIdle) idle_.push_back(index);
      return;
    case HttpConnection::Event::kBroken:
      return OnBroken(index);
    case HttpConnection::Event::kNotHttp:
      return Fail(index, observe::FailureReason::kProtocol, slot.connection->problem());
  }
}

void HttpSink::OnStatus(std::uint32_t index, std::int64_t now_ms) {
  Slot& slot = slots_[index];
  const int status = slot.connection->status();
  if (status >= 200 && status < 300) {
    http::Response answer = slot.connection->answer();  // as far as it is known
    answer.status = status;
    return Finish(index, Judge(answer, dead_letter_statuses_, UnixSeconds()));
  }
  slot.deadline_ms = std::min(slot.deadline_ms, now_ms + limits::kSinkAnswerRestMs);
  next_deadline_ms_ = std::min(next_deadline_ms_, slot.deadline_ms);
}

bool HttpSink::HasNextAddress(const Slot& slot, std::int64_t now_ms) {
  return resolver_.Ask(now_ms) == Resolver::State::kKnown && slot.next_address < resolver_.addresses().size();
}

void HttpSink::OnBroken(std::uint32_t index) {
  Slot& slot = slots_[index];
  if (!slot.busy) return;
  if (slot.on_kept_connection && !slot.connection->received_anything()) {
    slot.on_kept_connection = false;
    return;  // OnFreed connects anew
  }
  Fail(index, observe::FailureReason::kProtocol, slot.connection->problem());
}

void HttpSink::OnFreed(std::uint32_t index, std::int64_t now_ms) {
  if (slots_[index].busy) return ConnectNext(index, now_ms);
  free_.push_back(index);
}

// Its attempt is over, its answer is not.
bool HttpSink::HasRestToCome(const Slot& slot) {
  return slot.connection && slot.connection->state() == HttpConnection::State::kExchanging;
}

void HttpSink::EnforceDeadlines(std::int64_t now_ms) {
  next_deadline_ms_ = kNever;
  for (std::uint32_t index = 0; index < slots_.size(); ++index) {
    Slot& slot = slots_[index];
    if (!slot.busy && !HasRestToCome(slot)) continue;
    if (now_ms >= slot.deadline_ms && slot.resolving) {
      slot.resolving = false;
      --resolving_;
      Unable(index, "no addresses of " + url_.host + " within " + DurationText(timeout_ms_));
      free_.push_back(index);
      continue;
    }
    if (now_ms >= slot.deadline_ms) {
      if (slot.busy) OnTimeout(index);
    } else if (now_ms >= slot.connect_deadline_ms) {
      slot.connect_deadline_ms = kNever;
      next_deadline_ms_ = std::min(next_deadline_ms_, slot.deadline_ms);
      if (!HasNextAddress(slot, now_ms)) {
        Fail(index, observe::FailureReason::kConnect,
             "no connection within " + DurationText(limits::kSinkConnectTimeoutMs));
      }
    } else {
      next_deadline_ms_ = std::min({next_deadline_ms_, slot.deadline_ms, slot.connect_deadline_ms});
      continue;
    }
    if (slot.connection->state() == HttpConnection::State::kClosing)
      continue;  // its last completion frees it
    slot.connection->Close(*ring_);
    if (slot.connection->state() == HttpConnection::State::kFree) OnFreed(index, now_ms);
  }
}

// A sink that said what it did and then never ended its answer did it all the same.
void HttpSink::OnTimeout(std::uint32_t index) {
  HttpConnection& connection = *slots_[index].connection;
  if (connection.ConcludeEarly()) {
    return Finish(index, Judge(connection.answer(), dead_letter_statuses_, UnixSeconds()));
  }
  Fail(index, observe::FailureReason::kTimeout, "timeout after " + DurationText(timeout_ms_));
}

void HttpSink::Unable(std::uint32_t index, std::string summary) {
  Outcome outcome;
  outcome.result = Result::kUnable;
  outcome.summary = std::move(summary);
  Finish(index, std::move(outcome));
}

void HttpSink::Fail(std::uint32_t index, observe::FailureReason reason, std::string summary) {
  Outcome outcome;
  outcome.failure = reason;
  outcome.summary = std::move(summary);
  Finish(index, std::move(outcome));
}

void HttpSink::Finish(std::uint32_t index, Outcome outcome) {
  Slot& slot = slots_[index];
  WEIR_CHECK(slot.busy);
  slot.busy = false;
  --in_flight_;
  in_flight_bytes_ -= slot.request_bytes;
  outcome.token = slot.token;
  outcome.duration_ns = MonotonicNs() - slot.started_ns;
  finished_.push_back(std::move(outcome));
}

void HttpSink::ReportFinished() {
  for (Outcome& outcome : finished_) report_(std::move(outcome));
  finished_.clear();
}

}  // namespace weir::sink
