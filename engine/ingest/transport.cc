#include "engine/ingest/transport.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <new>
#include <span>
#include <utility>

#include "engine/ingest/refusal.h"
#include "engine/limits.h"
#include "storage/check.h"

namespace weir::ingest {
namespace {

using State = Connection::State;

io::UserData Tag(io::Op op, const Connection& connection) {
  return {op, connection.slot, connection.generation};
}

// The buffer goes back whatever becomes of what was in it.
struct ReturnAtEnd {
  io::BufferRing& buffers;
  std::uint16_t id;
  ~ReturnAtEnd() { buffers.Return(id); }
};

}  // namespace

Transport::Transport(const Wiring& wiring)
    : ring_(wiring.ring),
      buffers_(wiring.buffers),
      timers_(wiring.timers),
      connections_(wiring.connections),
      answers_(wiring.answers),
      reader_(wiring.reader),
      gate_(wiring.gate),
      probe_(wiring.probe),
      oldest_idle_(wiring.connections),
      limits_(wiring.limits) {}

bool Transport::Open(io::Descriptor& fd, const Moment& now) {
  const std::int64_t open = gate_.connections.load(std::memory_order_relaxed) + 1;
  const std::int64_t over = open - gate_.connections_max.load(std::memory_order_relaxed);
  const bool no_room = over > gate_.refusals_max.load(std::memory_order_relaxed);
  const bool refused = no_room || (over > 0 && !DisplaceOne(now));
  if (refused) probe_.connections_refused[static_cast<std::size_t>(observe::ConnectionRefusal::kLimit)].Add();
  Connection* connection = no_room ? nullptr : connections_.Take(fd.get());
  if (connection == nullptr) return false;
  fd.Release();
  gate_.connections.fetch_add(1, std::memory_order_relaxed);
  probe_.connections_accepted.Add();
  probe_.connections.Set(static_cast<std::int64_t>(connections_.open()));
  connection->last_active_ms = now.monotonic_ms();
  timers_.Arm(connection->slot, now.monotonic_ms() + limits_.idle_timeout_ms);
  if (refused) {
    connection->state = State::kAnswering;
    answers_.AddRefusal(*connection, {.close = true}, RefusalFor(observe::RejectionCode::kOverloaded));
  }
  Settle(*connection, now);
  return true;
}

// True: a connection that was idle is on its way out.
bool Transport::DisplaceOne(const Moment& now) {
  Connection* idle = oldest_idle_.Take(now.monotonic_ms());
  if (idle == nullptr) return false;
  probe_.connections_displaced.Add();
  StartClose(*idle);
  Settle(*idle, now);
  return true;
}

Connection* Transport::Find(const io::UserData& user_data) {
  if (user_data.slot >= connections_.slots()) return nullptr;
  Connection& connection = connections_[user_data.slot];
  return connection.generation == user_data.generation ? &connection : nullptr;
}

void Transport::OnReceived(const io::Completion& completion, const Moment& now) {
  Connection* connection = Find(completion.user_data);
  if (connection != nullptr && !completion.more()) connection->receive_in_flight = false;
  if (completion.has_buffer()) {
    const ReturnAtEnd returned{buffers_, completion.buffer_id()};
    const std::string_view bytes = buffers_.Take(completion);
    if (connection != nullptr && connection->state == State::kServing) {
      connection->last_active_ms = now.monotonic_ms();
      reader_.OnBytes(*connection, bytes, now);
    } else if (connection != nullptr && connection->state == State::kLingering) {
      connection->discarded_bytes += static_cast<std::uint32_t>(bytes.size());
    }
  }
  if (connection == nullptr) return;
  if (completion.result == -ENOBUFS) {
    probe_.buffers_starved.Add();
    buffers_.Grow();
    connection->starved = true;
    starved_.push_back(completion.user_data);
  } else if (completion.result == 0) {
    connection->peer_closed = true;
  } else if ((completion.result < 0 && completion.result != -ECANCELED) ||
             connection->discarded_bytes > limits::kLingerBytesMax) {
    StartClose(*connection);
  }
  Settle(*connection, now);
}

// What follows from the connection's state after anything happened to it.
void Transport::Settle(Connection& connection, const Moment& now) {
  if (connection.state == State::kServing && connection.peer_closed && !connection.paused) {
    reader_.Forget(connection);
    connection.state = State::kAnswering;
  }
  const bool answered = connection.pending_count == 0 && !connection.send_in_flight;
  if (connection.state == State::kAnswering && answered && !connection.peer_closed) Linger(connection, now);
  if (connection.peer_closed && answered && connection.state != State::kServing) StartClose(connection);
  if (connection.state == State::kClosing) return FinishClose(connection);

  if (WantsReceive(connection)) {
    if (!connection.receive_in_flight && !connection.starved) ArmReceive(connection);
  } else if (connection.paused && connection.receive_in_flight && connection.cancels_in_flight == 0) {
    ++connection.cancels_in_flight;
    ring_.Cancel(Tag(io::Op::kReceive, connection), Tag(io::Op::kCancel, connection));
  }
  if (connection.phase_deadline_ms != 0) timers_.Arm(connection.slot, connection.phase_deadline_ms);
}

bool Transport::WantsReceive(const Connection& connection) const {
  if (connection.peer_closed) return false;
  return connection.state == State::kLingering || (connection.state == State::kServing && !connection.paused);
}

void Transport::ArmReceive(Connection& connection) {
  connection.receive_in_flight = true;
  ring_.ReceiveMultishot(connection.fd, buffers_.group(), Tag(io::Op::kReceive, connection));
}

void Transport::Replenish() {
  buffers_.Replenish();
  // No more than there are buffers: the others would find none again.
  const std::size_t count = std::min(starved_.size(), buffers_.lent());
  for (const io::UserData& user_data : std::span(starved_).first(count)) {
    Connection* connection = Find(user_data);
    if (connection == nullptr || !connection->starved) continue;
    connection->starved = false;
    if (WantsReceive(*connection) && !connection->receive_in_flight) ArmReceive(*connection);
  }
  starved_.erase(starved_.begin(), starved_.begin() + static_cast<std::ptrdiff_t>(count));
}

void Transport::WriteDue(const Moment& now) {
  // A resumed connection may answer at once what it had kept back, hence the loop.
  while (!answers_.due().empty()) {
    std::swap(writing_, answers_.due());
    for (const std::uint32_t slot : writing_) {
      Connection& connection = connections_[slot];
      connection.answer_due = false;
      try {
        Write(connection, now);
      } catch (const std::bad_alloc&) {
        End(connection, now);
      }
    }
    writing_.clear();
  }
}

void Transport::Write(Connection& connection, const Moment& now) {
  const bool may_write = connection.state == State::kServing || connection.state == State::kAnswering;
  if (!may_write || connection.send_in_flight || !answers_.HasReady(connection)) return;
  if (spare_buffers_.empty()) {
    connection.sending = std::make_unique<std::string>();
  } else {
    connection.sending = std::move(spare_buffers_.back());
    spare_buffers_.pop_back();
  }
  answers_.WriteReady(connection, now, *connection.sending);
  connection.sent_bytes = 0;
  connection.send_started_ms = now.monotonic_ms();
  SendRest(connection);
  if (connection.paused && connection.pending_count <= limits::kPipelinedRequestsMax / 2) {
    reader_.Resume(connection, now);
    Settle(connection, now);
  }
}

void Transport::SendRest(Connection& connection) {
  connection.send_in_flight = true;
  ring_.Send(connection.fd, std::span<const char>(*connection.sending).subspan(connection.sent_bytes),
             Tag(io::Op::kSend, connection));
}

void Transport::OnSent(const io::Completion& completion, const Moment& now) {
  Connection* connection = Find(completion.user_data);
  if (connection == nullptr) return;
  connection->send_in_flight = false;
  if (connection->state == State::kClosing) return Settle(*connection, now);
  if (completion.result < 0) {
    StartClose(*connection);
    return Settle(*connection, now);
  }
  connection->sent_bytes += static_cast<std::uint32_t>(completion.result);
  if (connection->sent_bytes < connection->sending->size()) return SendRest(*connection);
  GiveBack(std::move(connection->sending));
  connection->last_active_ms = now.monotonic_ms();
  Write(*connection, now);
  if (connection->state != State::kServing) Settle(*connection, now);
}

void Transport::GiveBack(std::unique_ptr<std::string> buffer) {
  if (buffer->capacity() > limits::kSpareSendBufferBytes ||
      spare_buffers_.size() >= limits::kSpareSendBuffers) {
    return;
  }
  buffer->clear();
  spare_buffers_.push_back(std::move(buffer));
}

// A system call of its own: the ring hands a shutdown to a kernel worker thread, which costs many times as
// much.
void Transport::Linger(Connection& connection, const Moment& now) {
  connection.state = State::kLingering;
  connection.discarded_bytes = 0;
  connection.phase_deadline_ms = now.monotonic_ms() + limits::kLingerMs;
  if (shutdown(connection.fd, SHUT_WR) != 0) StartClose(connection);  // the peer is gone already
}

void Transport::OnShortage(const io::Completion& completion, const Moment& now) {
  if (Connection* connection = Find(completion.user_data)) End(*connection, now);
}

void Transport::End(Connection& connection, const Moment& now) {
  probe_.connections_ended_for_memory.Add();
  StartClose(connection);
  Settle(connection, now);
}

void Transport::OnCancelled(const io::Completion& completion, const Moment& now) {
  Connection* connection = Find(completion.user_data);
  if (connection == nullptr) return;
  WEIR_CHECK(connection->cancels_in_flight > 0);
  --connection->cancels_in_flight;
  Settle(*connection, now);
}

void Transport::StartClose(Connection& connection) {
  if (connection.state == State::kClosing) return;
  connection.state = State::kClosing;
  connection.starved = false;
  timers_.Disarm(connection.slot);
  reader_.Forget(connection);
  answers_.Abandon(connection);
  if (connection.receive_in_flight || connection.send_in_flight) {
    ++connection.cancels_in_flight;
    ring_.CancelAll(connection.fd, Tag(io::Op::kCancel, connection));
  }
}

void Transport::FinishClose(Connection& connection) {
  if (connection.in_flight()) return;
  if (connection.sending != nullptr) GiveBack(std::move(connection.sending));
  connection.close_in_flight = true;
  ring_.Close(connection.fd, Tag(io::Op::kClose, connection));
}

void Transport::OnClosed(const io::Completion& completion) {
  Connection* connection = Find(completion.user_data);
  WEIR_CHECK(connection != nullptr && connection->close_in_flight);
  connection->close_in_flight = false;
  connections_.Release(*connection);
  gate_.connections.fetch_sub(1, std::memory_order_relaxed);
  probe_.connections.Set(static_cast<std::int64_t>(connections_.open()));
}

std::int64_t Transport::NextDeadline(const Connection& connection, const Moment& now) const {
  // While a commit is waited for there is nothing of the peer's to hurry; it is looked at again later.
  std::int64_t next_ms = now.monotonic_ms() + limits_.idle_timeout_ms;
  if (connection.idle()) next_ms = std::min(next_ms, connection.last_active_ms + limits_.idle_timeout_ms);
  if (connection.send_in_flight) {
    next_ms = std::min(next_ms, connection.send_started_ms + limits_.idle_timeout_ms);
  }
  if (connection.phase_deadline_ms != 0) next_ms = std::min(next_ms, connection.phase_deadline_ms);
  return next_ms;
}

// Deadlines are written down where they begin and looked at here only; the wheel was armed no later than any
// of them.
void Transport::OnDeadline(std::uint32_t slot, const Moment& now) {
  Connection& connection = connections_[slot];
  if (connection.state == State::kFree || connection.state == State::kClosing) return;
  const std::int64_t now_ms = now.monotonic_ms();
  const bool phase_over = connection.phase_deadline_ms != 0 && now_ms >= connection.phase_deadline_ms;
  const bool idle_over = connection.idle() && now_ms >= connection.last_active_ms + limits_.idle_timeout_ms;
  const bool send_over =
      connection.send_in_flight && now_ms >= connection.send_started_ms + limits_.idle_timeout_ms;
  if (send_over || idle_over || (phase_over && connection.state == State::kLingering)) {
    StartClose(connection);
  } else if (phase_over && connection.partial != nullptr) {
    reader_.OnDeadline(connection);
  }
  if (connection.state != State::kClosing) timers_.Arm(slot, NextDeadline(connection, now));
  Settle(connection, now);
}

void Transport::Drain(const Moment& now) {
  limits_.idle_timeout_ms = std::min(limits_.idle_timeout_ms, limits::kDrainIdleMs);
  for (std::uint32_t slot = 0; slot < connections_.slots(); ++slot) {
    Connection& connection = connections_[slot];
    if (connection.state != State::kServing) continue;
    if (connection.pending_count > 0 && connection.partial == nullptr) {
      connection.state = State::kAnswering;
      answers_.CloseAfterLast(connection);
    }
    timers_.Arm(slot, now.monotonic_ms() + limits_.idle_timeout_ms);
  }
}

void Transport::CloseAll() {
  for (std::uint32_t slot = 0; slot < connections_.slots(); ++slot) {
    Connection& connection = connections_[slot];
    if (connection.state != State::kFree && !connection.close_in_flight) close(connection.fd);
  }
}

}  // namespace weir::ingest
