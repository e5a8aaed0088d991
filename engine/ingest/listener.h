// The listening sockets of one shard: one multishot accept each, and what to do when the process has no
// descriptor left.
//
// An accept that fails with EMFILE fails again at once, connection or not, so re-arming it would spin.
// Instead the backlog is emptied with a descriptor held in reserve (give it up, accept, say 503, close, take
// it back), and the accept is armed again after limits::kAcceptRetryMs.
#pragma once

#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/config/config.h"
#include "engine/io/ring.h"
#include "engine/io/socket.h"

namespace weir::ingest {

class Listener {
 public:
  // Binds and listens. `exclusive`: it is an error if anybody else listens there already.
  static std::expected<Listener, std::string> Open(std::span<const config::Address> addresses,
                                                   bool exclusive);

  std::vector<config::Address> bound() const;

  void Arm(io::Ring& ring);
  // The connection a completion brought, or an invalid descriptor.
  io::Descriptor OnAccepted(io::Ring& ring, const io::Completion& completion, std::int64_t now_ms);
  // The last completion said that there is no descriptor left: the backlog is to be refused.
  bool out_of_descriptors() const { return out_of_descriptors_; }
  // Empties the backlog of the listening socket `index`. Returns how many were turned away.
  std::size_t RefuseBacklog(std::size_t index, std::string_view refusal);
  // Tells a connection `refusal`, as far as its send buffer takes it, and closes it.
  static void TurnAway(io::Descriptor fd, std::string_view refusal);
  // Arms again what had to be given up, once it is time. Returns when that is, or -1.
  std::int64_t Retry(io::Ring& ring, std::int64_t now_ms);

  // Nothing new is accepted from now on. What is in the backlog already is: those peers believe to be
  // connected.
  void Stop(io::Ring& ring);
  // After Stop, when the kernel has given the accepts back: the rest of the backlog; then the sockets are
  // closed.
  std::vector<io::Descriptor> TakeBacklog();
  bool stopped() const;  // Stop was called and nothing is armed

 private:
  struct Socket {
    io::Descriptor fd;
    bool armed = false;
  };
  explicit Listener(std::vector<Socket> sockets, io::Descriptor reserve)
      : sockets_(std::move(sockets)), reserve_(std::move(reserve)) {}
  void Arm(io::Ring& ring, std::size_t index);

  std::vector<Socket> sockets_;
  io::Descriptor reserve_;
  std::int64_t retry_at_ms_ = -1;
  bool stopping_ = false;
  bool out_of_descriptors_ = false;
};

}  // namespace weir::ingest
