#include "bench/client.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "bench/answer_scanner.h"
#include "bench/clock.h"
#include "storage/check.h"

namespace weir::bench {
namespace {

constexpr unsigned kRingEntries = 4096;
constexpr io::BufferRing::Shape kReceiveBuffers{
    .group = 0, .count = 4096, .buffer_bytes = 2048, .slack_bytes = 0};
constexpr std::size_t kAnswerBodyKept_bytes = 0;

// Up to this size a request always fits the socket's send buffer, which its predecessor has left, so the send
// ends inside its submission and needs no completion of its own.
constexpr std::size_t kSilentSend_bytes = std::size_t{16} * 1024;

constexpr std::int64_t kDrain_ns = 10 * kSecond_ns;
constexpr std::int64_t kConnectTimeout_ns = 5 * kSecond_ns;
constexpr std::int64_t kRetryGapMin_ns = 5 * kMillisecond_ns;
constexpr std::int64_t kRetryGapMax_ns = 200 * kMillisecond_ns;
constexpr std::int64_t kExpireEvery_ns = 100 * kMillisecond_ns;
constexpr std::int64_t kStarvedPoll_ns = 200 * kMicrosecond_ns;

double ThreadCpu_s() {
  rusage usage{};
  getrusage(RUSAGE_THREAD, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

}  // namespace

std::expected<std::unique_ptr<Client>, std::string> Client::Create(const ClientOptions& options,
                                                                   const Wiring& wiring) {
  auto ring = io::Ring::Create(kRingEntries);
  if (!ring) return std::unexpected(std::move(ring.error()));
  std::unique_ptr<Client> client(new Client(options, wiring, std::move(*ring)));
  auto buffers = io::BufferRing::Create(client->ring_, kReceiveBuffers);
  if (!buffers) return std::unexpected(std::move(buffers.error()));
  client->buffers_.emplace(std::move(*buffers));
  return client;
}

Client::Client(const ClientOptions& options, const Wiring& wiring, io::Ring ring)
    : options_(options),
      wiring_(wiring),
      ring_(std::move(ring)),
      connections_(options.connections),
      request_bytes_(std::make_unique<char[]>(options.connections * wiring.pattern.request_bytes_max())),
      wall_offset_s_(UnixNow_s() - MonotonicNow_ns() / kSecond_ns),
      meter_(wiring.forge, wiring.timeline, wiring.ledger) {
  for (std::size_t i = 0; i < connections_.size(); ++i) {
    connections_[i].bytes = request_bytes_.get() + i * wiring_.pattern.request_bytes_max();
    wiring_.pattern.Prepare(connections_[i].bytes);
  }
  in_state_[static_cast<std::size_t>(ConnectionState::kDown)] = connections_.size();
}

Client::~Client() {
  for (const Connection& connection : connections_) {
    if (connection.fd >= 0) ::close(connection.fd);
  }
}

void Client::Move(Connection& connection, ConnectionState to) {
  --in_state_[static_cast<std::size_t>(connection.state)];
  connection.state = to;
  ++in_state_[static_cast<std::size_t>(to)];
}

std::size_t Client::Connect() {
  now_ns_ = MonotonicNow_ns();
  const auto dialling = [this] {
    return CountOf(ConnectionState::kDown) + CountOf(ConnectionState::kConnecting);
  };
  while (dialling() > 0 && !wiring_.stop.load(std::memory_order_relaxed)) {
    DialDue();
    Turn();
    ExpireSilent();
  }
  return CountOf(ConnectionState::kIdle);
}

void Client::DialDue() {
  if (CountOf(ConnectionState::kDown) == 0) return;
  for (std::uint32_t slot = 0; slot < connections_.size(); ++slot) {
    const Connection& connection = connections_[slot];
    if (connection.state == ConnectionState::kDown && connection.retry_at_ns <= now_ns_) Dial(slot);
  }
}

void Client::Dial(std::uint32_t slot) {
  Connection& connection = connections_[slot];
  connection.fd = ::socket(options_.endpoint.address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (connection.fd < 0) {
    Disconnect(slot, Why::kFailed);
    return;
  }
  const int on = 1;
  ::setsockopt(connection.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  Move(connection, ConnectionState::kConnecting);
  connection.retry_at_ns = now_ns_;
  ring_.Connect(connection.fd, options_.endpoint.socket_address(), options_.endpoint.address_bytes,
                {io::Op::kConnect, slot, connection.generation});
}

void Client::OnConnected(std::uint32_t slot, std::int32_t result) {
  Connection& connection = connections_[slot];
  if (result < 0) {
    Disconnect(slot, Why::kFailed);
    return;
  }
  connection.down_since_ns = 0;
  connection.retry_gap_ns = 0;
  connection.answers = 0;
  ring_.ReceiveMultishot(connection.fd, buffers_->group(), {io::Op::kReceive, slot, connection.generation});
  if (!connection.resend) {
    MakeIdle(slot);
    return;
  }
  connection.resend = false;
  --to_resend_;
  ++meter_.tally().resent;
  Submit(slot);
}

// Decides when to dial again. A shutdown first: it ends the armed receive, whose late completion is disowned.
void Client::Disconnect(std::uint32_t slot, Why why) {
  Connection& connection = connections_[slot];
  const bool request_out = connection.state == ConnectionState::kWaiting;
  if (connection.fd >= 0) {
    ::shutdown(connection.fd, SHUT_RDWR);
    ::close(connection.fd);
    connection.fd = -1;
  }
  ++connection.generation;
  connection.send_in_kernel = false;
  if (connection.in_parser) connection.parser->Reset();
  connection.in_parser = false;

  if (why == Why::kClosedByServer) {
    ++meter_.tally().connections_reopened;
  } else if (why == Why::kUsedUp) {
    ++meter_.tally().connections_used_up;
  } else {
    meter_.Trouble();
    ++(request_out ? meter_.tally().connections_lost : meter_.tally().connect_errors);
    connection.retry_gap_ns = std::clamp(connection.retry_gap_ns * 2, kRetryGapMin_ns, kRetryGapMax_ns);
  }
  if (request_out && options_.resend) {
    connection.resend = true;
    ++to_resend_;
  } else if (request_out) {
    ++meter_.tally().unanswered;
  }

  if (connection.down_since_ns == 0) connection.down_since_ns = now_ns_;
  connection.retry_at_ns = now_ns_ + connection.retry_gap_ns;
  if (connection.retry_at_ns - connection.down_since_ns <= options_.reconnect_ns) {
    Move(connection, ConnectionState::kDown);
    return;
  }
  Move(connection, ConnectionState::kGivenUp);
  ++meter_.tally().connections_given_up;
}

void Client::ExpireSilent() {
  if (now_ns_ < expire_at_ns_) return;
  expire_at_ns_ = now_ns_ + kExpireEvery_ns;
  for (std::uint32_t slot = 0; slot < connections_.size(); ++slot) {
    Connection& connection = connections_[slot];
    if (connection.state == ConnectionState::kWaiting &&
        now_ns_ - connection.sent_ns > options_.answer_timeout_ns) {
      ++meter_.tally().timeouts;
      meter_.StillOut(connection.intended_ns, connection.sent_ns, now_ns_);
      Disconnect(slot, Why::kFailed);
    } else if (connection.state == ConnectionState::kConnecting &&
               now_ns_ - connection.retry_at_ns > kConnectTimeout_ns) {
      Disconnect(slot, Why::kFailed);
    }
  }
}

bool Client::MaySend() const {
  if (options_.requests_max != 0 && issued_ >= options_.requests_max) return false;
  if (end_ns_ == 0) return true;
  return (schedule_ ? schedule_->next_ns() : now_ns_) < end_ns_;
}

void Client::MakeIdle(std::uint32_t slot) {
  Move(connections_[slot], ConnectionState::kIdle);
  idle_.push_back({slot, connections_[slot].generation});
}

std::optional<std::uint32_t> Client::TakeIdle() {
  while (!idle_.empty()) {
    const IdleSlot front = idle_.front();
    idle_.pop_front();
    if (connections_[front.slot].generation == front.generation) return front.slot;
  }
  return std::nullopt;
}

// Sends what is due on the connections that are free.
void Client::Dispatch() {
  while (MaySend() && (!schedule_ || schedule_->next_ns() <= now_ns_)) {
    const auto slot = TakeIdle();
    if (!slot) return;
    if (!TakeRequest(*slot)) {
      idle_.push_front({*slot, connections_[*slot].generation});
      return;
    }
    Submit(*slot);
    Connection& connection = connections_[*slot];
    connection.intended_ns = schedule_ ? schedule_->next_ns() : connection.sent_ns;
    if (schedule_) schedule_->Advance();
  }
}

bool Client::TakeRequest(std::uint32_t slot) {
  Connection& connection = connections_[slot];
  const SignedRequest* request = wiring_.feed.Front(now_ns_ / kSecond_ns + wall_offset_s_);
  if (request == nullptr) {
    if (starved_since_ns_ == 0) starved_since_ns_ = now_ns_;
    return false;
  }
  if (starved_since_ns_ != 0) meter_.tally().starved_ns += now_ns_ - std::exchange(starved_since_ns_, 0);
  connection.request = *request;
  connection.size = wiring_.pattern.Apply(wiring_.feed.FrontPatch(), connection.bytes);
  wiring_.feed.Pop();
  ++issued_;
  return true;
}

void Client::Submit(std::uint32_t slot) {
  Connection& connection = connections_[slot];
  WEIR_CHECK(connection.fd >= 0 && !connection.send_in_kernel);
  io_uring_sqe* entry = io_uring_get_sqe(ring_.raw());
  if (entry == nullptr) {
    io_uring_submit(ring_.raw());
    entry = io_uring_get_sqe(ring_.raw());
    WEIR_CHECK(entry != nullptr);
  }
  // MSG_WAITALL: the kernel goes on by itself after a partial send.
  io_uring_prep_send(entry, connection.fd, connection.bytes, connection.size, MSG_NOSIGNAL | MSG_WAITALL);
  io_uring_sqe_set_data64(entry, io::UserData{io::Op::kSend, slot, connection.generation}.Pack());
  if (connection.size <= kSilentSend_bytes) {
    entry->flags |= IOSQE_CQE_SKIP_SUCCESS;
  } else {
    connection.send_in_kernel = true;
  }
  connection.sent_ns = MonotonicNow_ns();
  Move(connection, ConnectionState::kWaiting);
  ++meter_.tally().sent;
}

void Client::OnSent(std::uint32_t slot, std::int32_t result) {
  Connection& connection = connections_[slot];
  connection.send_in_kernel = false;
  if (result < 0 || static_cast<std::size_t>(result) < connection.size) Disconnect(slot, Why::kFailed);
}

void Client::Handle(const io::Completion& completion) {
  const auto [op, slot, generation] = completion.user_data;
  const bool ours = slot < connections_.size() && connections_[slot].generation == generation;
  switch (op) {
    case io::Op::kConnect:
      if (ours) OnConnected(slot, completion.result);
      return;
    case io::Op::kSend:
      if (ours) OnSent(slot, completion.result);
      return;
    case io::Op::kReceive:
      if (ours) {
        OnReceived(slot, completion);
      } else if (completion.has_buffer()) {
        buffers_->Return(completion.buffer_id());
      }
      return;
    case io::Op::kNone:
    case io::Op::kAccept:
    case io::Op::kClose:
    case io::Op::kCancel:
    case io::Op::kWake:
      WEIR_CHECK(false && "an operation this client never starts");
  }
}

void Client::OnReceived(std::uint32_t slot, const io::Completion& completion) {
  Connection& connection = connections_[slot];
  const std::uint32_t generation = connection.generation;
  if (completion.result > 0) {
    OnBytes(slot, buffers_->Take(completion));
    buffers_->Return(completion.buffer_id());
  } else if (completion.result == -ENOBUFS) {
    buffers_->Grow();
  } else {
    if (completion.has_buffer()) buffers_->Return(completion.buffer_id());
    if (connection.in_parser && connection.parser->Finish() == http::ResponseParser::Step::kDone) {
      OnAnswer(slot, connection.parser->response().status, false);
      return;
    }
    Disconnect(slot, connection.state == ConnectionState::kIdle ? Why::kClosedByServer : Why::kFailed);
    return;
  }
  if (!completion.more() && connection.generation == generation) {
    ring_.ReceiveMultishot(connection.fd, buffers_->group(), {io::Op::kReceive, slot, generation});
  }
}

void Client::OnBytes(std::uint32_t slot, std::string_view bytes) {
  Connection& connection = connections_[slot];
  if (connection.state !=
      ConnectionState::kWaiting) {  // nothing was asked: a 408 before a close, or nonsense
    ++meter_.tally().malformed;
    Disconnect(slot, Why::kClosedByServer);
    return;
  }
  if (!connection.in_parser) {
    const auto answer = ScanAnswer(bytes);
    if (answer && answer->bytes == bytes.size()) {
      OnAnswer(slot, answer->status, answer->keep_alive);
      return;
    }
    if (!connection.parser) connection.parser = std::make_unique<http::ResponseParser>(kAnswerBodyKept_bytes);
    connection.in_parser = true;
  }
  std::size_t consumed = 0;
  switch (connection.parser->Feed(bytes, consumed)) {
    case http::ResponseParser::Step::kNeedMore:
      return;
    case http::ResponseParser::Step::kDone:
      if (consumed != bytes.size()) break;  // one request is out, so no second answer may follow
      OnAnswer(slot, connection.parser->response().status, connection.parser->response().keep_alive);
      return;
    case http::ResponseParser::Step::kError:
      break;
  }
  ++meter_.tally().malformed;
  Disconnect(slot, Why::kFailed);
}

void Client::OnAnswer(std::uint32_t slot, int status, bool keep_alive) {
  Connection& connection = connections_[slot];
  if (connection.in_parser) connection.parser->Reset();
  connection.in_parser = false;
  meter_.Answered(connection.request, status, connection.intended_ns, connection.sent_ns, now_ns_);
  // An answer (413, say) that overtook its request's last bytes leaves the buffer with the kernel.
  const bool reusable = keep_alive && !connection.send_in_kernel;
  const bool used_up = ++connection.answers == options_.requests_per_connection;
  MakeIdle(slot);
  if (!reusable || used_up) Disconnect(slot, reusable ? Why::kUsedUp : Why::kClosedByServer);
}

void Client::Run(std::int64_t start_ns) {
  start_ns_ = start_ns;
  end_ns_ = options_.duration_ns == 0 ? 0 : start_ns + options_.duration_ns;
  if (options_.rate_per_s > 0)
    schedule_.emplace(options_.pattern, options_.rate_per_s, start_ns, options_.seed);
  meter_.Begin({.start_ns = start_ns, .warmup_ns = options_.warmup_ns, .end_ns = end_ns_});
  now_ns_ = MonotonicNow_ns();
  const double cpu_before_s = ThreadCpu_s();
  while (!Finished()) {
    StopIfAsked();
    Dispatch();
    Turn();
    DialDue();
    ExpireSilent();
    meter_.Roll(now_ns_);
  }
  meter_.tally().cpu_s = ThreadCpu_s() - cpu_before_s;
  CountWhatIsLeft();
}

void Client::StopIfAsked() {
  if (!wiring_.stop.load(std::memory_order_relaxed) || (end_ns_ != 0 && end_ns_ <= now_ns_)) return;
  end_ns_ = now_ns_;
  meter_.EndAt(end_ns_);
}

// Submits what is queued, waits for a completion or for the next thing due, and handles everything that
// completed.
void Client::Turn() {
  const std::int64_t wait_ns = std::max<std::int64_t>(0, NextWake_ns() - MonotonicNow_ns());
  __kernel_timespec timeout{};
  timeout.tv_sec = wait_ns / kSecond_ns;
  timeout.tv_nsec = wait_ns % kSecond_ns;
  io_uring_cqe* first = nullptr;
  const int result = io_uring_submit_and_wait_timeout(ring_.raw(), &first, 1, &timeout, nullptr);
  WEIR_CHECK(result >= 0 || result == -ETIME || result == -EINTR || result == -EAGAIN || result == -EBUSY);
  now_ns_ = MonotonicNow_ns();

  std::size_t count = 0;
  unsigned head = 0;
  io_uring_cqe* cqe = nullptr;
  io_uring_for_each_cqe(ring_.raw(), head, cqe) {
    if (count == completions_.size()) break;
    completions_[count++] = {io::UserData::Unpack(cqe->user_data), cqe->res, cqe->flags};
  }
  io_uring_cq_advance(ring_.raw(), static_cast<unsigned>(count));
  for (std::size_t i = 0; i < count; ++i) Handle(completions_[i]);
  buffers_->Replenish();
}

std::int64_t Client::NextWake_ns() const {
  std::int64_t wake_ns = now_ns_ + kExpireEvery_ns;
  if (CountOf(ConnectionState::kDown) > 0) wake_ns = now_ns_ + kRetryGapMin_ns;
  if (starved_since_ns_ != 0) return std::min(wake_ns, now_ns_ + kStarvedPoll_ns);
  if (schedule_ && !idle_.empty() && MaySend()) wake_ns = std::min(wake_ns, schedule_->next_ns());
  return wake_ns;
}

bool Client::Finished() const {
  if (CountOf(ConnectionState::kGivenUp) == connections_.size()) return true;
  if (end_ns_ != 0 && now_ns_ > end_ns_ + kDrain_ns) return true;
  return !MaySend() && CountOf(ConnectionState::kWaiting) == 0 && to_resend_ == 0;
}

// What had no answer when the run had to end still counts, with the time it has already waited.
void Client::CountWhatIsLeft() {
  meter_.tally().unanswered += to_resend_;
  for (const Connection& connection : connections_) {
    if (connection.state != ConnectionState::kWaiting) continue;
    ++meter_.tally().unanswered;
    meter_.StillOut(connection.intended_ns, connection.sent_ns, now_ns_);
  }
  const std::int64_t due_until_ns = end_ns_ == 0 ? now_ns_ : std::min(end_ns_, now_ns_);
  while (schedule_ && MaySend() && schedule_->next_ns() < due_until_ns) {
    meter_.NeverSent(schedule_->next_ns(), now_ns_);
    schedule_->Advance();
    ++issued_;
  }
  if (starved_since_ns_ != 0) meter_.tally().starved_ns += now_ns_ - starved_since_ns_;
  meter_.Finish(now_ns_);
}

}  // namespace weir::bench
