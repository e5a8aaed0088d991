// The kernel's side of every connection of a shard: what is armed, what is being sent, and the end of it.
//
// A connection ends in steps, because the kernel holds its descriptor and its buffers until the last
// completion is there and neither close() nor a new use of the slot ends an operation that is pending:
//
//   stop arming -> cancel what is in flight -> wait for every completion -> close -> generation + 1 -> free
//
// One that ends with an answer lingers first (RFC 9112 §9.6): our side is shut down, what the peer still
// sends is read and thrown away for a while. Closing at once would answer those bytes with a reset, and a
// reset can overtake the answer.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "engine/config/config.h"
#include "engine/ingest/connection.h"
#include "engine/ingest/gate.h"
#include "engine/ingest/moment.h"
#include "engine/ingest/oldest_idle.h"
#include "engine/ingest/pending_answers.h"
#include "engine/ingest/reader.h"
#include "engine/io/buffer_ring.h"
#include "engine/io/ring.h"
#include "engine/io/socket.h"
#include "engine/io/timer_wheel.h"
#include "engine/observe/shard_probe.h"

namespace weir::ingest {

class Transport {
 public:
  struct Wiring {
    io::Ring& ring;
    io::BufferRing& buffers;
    io::TimerWheel& timers;
    ConnectionTable& connections;
    PendingAnswers& answers;
    Reader& reader;
    Gate& gate;
    observe::ShardProbe& probe;
    config::ServerLimits limits;
  };
  explicit Transport(const Wiring& wiring);

  // An accepted connection. Where as many are open as may be, the one that has been idle longest is closed for it;
  // where none is idle it is told so and closed. False: there is no room even for that, and `fd` is still the
  // caller's.
  bool Open(io::Descriptor& fd, const Moment& now);

  // Completions. One for an earlier use of its slot is dropped; its receive buffer goes back.
  void OnReceived(const io::Completion& completion, const Moment& now);
  void OnSent(const io::Completion& completion, const Moment& now);
  void OnCancelled(const io::Completion& completion, const Moment& now);
  void OnClosed(const io::Completion& completion);

  // There was no memory to handle this one: its connection ends, and no other does.
  void OnShortage(const io::Completion& completion, const Moment& now);

  void OnDeadline(std::uint32_t slot, const Moment& now);
  // Sends what became ready this turn: one send a connection, whatever the number of its answers.
  void WriteDue(const Moment& now);
  // Lends the receive buffers again and re-arms as many of those who found none. Once a turn: a connection is
  // re-armed because a buffer came back, never on a timer, and so starvation does not spin.
  void Replenish();
  // Some wait for a buffer still: the next turn is not to wait.
  bool starving() const { return !starved_.empty(); }

  // From now on a connection ends with the answers it is owed, or within limits::kDrainIdleMs when it is
  // idle.
  void Drain(const Moment& now);
  // The end of the shard: what is still open is closed as it is.
  void CloseAll();

 private:
  bool DisplaceOne(const Moment& now);
  Connection* Find(const io::UserData& user_data);
  void Settle(Connection& connection, const Moment& now);
  bool WantsReceive(const Connection& connection) const;
  void ArmReceive(Connection& connection);
  void Write(Connection& connection, const Moment& now);
  void SendRest(Connection& connection);
  void Linger(Connection& connection, const Moment& now);
  void End(Connection& connection, const Moment& now);
  void StartClose(Connection& connection);
  void FinishClose(Connection& connection);
  std::int64_t NextDeadline(const Connection& connection, const Moment& now) const;
  void GiveBack(std::unique_ptr<std::string> buffer);

  io::Ring& ring_;
  io::BufferRing& buffers_;
  io::TimerWheel& timers_;
  ConnectionTable& connections_;
  PendingAnswers& answers_;
  Reader& reader_;
  Gate& gate_;
  observe::ShardProbe& probe_;
  OldestIdle oldest_idle_;
  config::ServerLimits limits_;
  std::vector<io::UserData> starved_;   // first in, first out
  std::vector<std::uint32_t> writing_;  // reused
  std::vector<std::unique_ptr<std::string>> spare_buffers_;
};

}  // namespace weir::ingest
