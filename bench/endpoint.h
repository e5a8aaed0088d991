// Where the load goes: a resolved address.
#pragma once

#include <sys/socket.h>

#include <atomic>
#include <cstdint>
#include <expected>
#include <string>

#include "engine/http/url.h"

namespace weir::bench {

struct Endpoint {
  sockaddr_storage address{};
  socklen_t address_bytes = 0;

  const sockaddr* socket_address() const { return reinterpret_cast<const sockaddr*>(&address); }
};

std::expected<Endpoint, std::string> Resolve(const http::Url& url);

// Whether the server accepts a connection. One that is still starting is given `patience_ns`, or until `stop`
// is set.
bool IsReachable(const Endpoint& endpoint, std::int64_t patience_ns, const std::atomic<bool>& stop);

}  // namespace weir::bench
