// The addresses behind a sink's host name. A name is looked up with getaddrinfo, which blocks: the worker's
// own thread, for as long as the system's resolver takes. That is why answers are kept for a while, and
// failures too.
//
// Sinks are named by the operator, who may well mean a private address; there is no guard against those. What
// a sender controls (ids, types, bodies) never reaches this far.
#pragma once

#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <vector>

#include "engine/io/socket.h"

namespace weir::sink {

class Resolver {
 public:
  Resolver(std::string host, std::uint16_t port);

  // In the order the system prefers; never empty. A numeric host is never looked up. The span lives until the
  // next call.
  std::expected<std::span<const io::SocketAddress>, std::string> Resolve(std::int64_t now_ms);

 private:
  void LookUp();

  std::string host_;
  std::uint16_t port_;
  bool numeric_ = false;
  std::vector<io::SocketAddress> addresses_;  // empty: the last look-up failed, for the reason in error_
  std::string error_;
  std::int64_t fresh_until_ms_ = 0;
};

}  // namespace weir::sink
