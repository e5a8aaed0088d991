// The addresses behind a sink's host name. A name is looked up with getaddrinfo, which blocks for as long as the
// system's resolver takes: so a thread of its own does, and the worker goes on meanwhile, with the addresses it had
// where there are any. Answers are kept for a while, and failures too.
//
// Sinks are named by the operator, who may well mean a private address; there is no guard against those. What
// a sender controls (ids, types, bodies) never reaches this far.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "engine/io/socket.h"
#include "engine/io/wake.h"

namespace weir::sink {

class Resolver {
 public:
  // `wake` is signalled when a look-up has ended.
  Resolver(std::string host, std::uint16_t port, io::EventfdWake& wake);
  ~Resolver();  // leaves a look-up that is under way to end by itself

  enum class State : std::uint8_t {
    kKnown,    // addresses() is not empty, and in the order the system prefers
    kAsking,   // ask again after the wake
    kUnknown,  // see problem(); a later call looks again
  };
  // A numeric host is never looked up.
  State Ask(std::int64_t now_ms);
  // Of the last Ask that said kKnown, until the next call.
  const std::vector<io::SocketAddress>& addresses() const { return addresses_; }
  std::string problem() const { return "cannot resolve " + host_ + ": " + problem_; }

 private:
  struct LookUp;
  void Begin();
  void Take();

  std::string host_;
  std::uint16_t port_;
  io::EventfdWake& wake_;
  bool numeric_ = false;
  std::vector<io::SocketAddress> addresses_;
  std::string problem_;
  std::int64_t fresh_until_ms_ = 0;
  std::shared_ptr<LookUp> under_way_;  // shared with the thread that makes it
};

}  // namespace weir::sink
