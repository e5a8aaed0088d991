#include "bench/endpoint.h"

#include <netdb.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <thread>

#include "bench/clock.h"

namespace weir::bench {

std::expected<Endpoint, std::string> Resolve(const http::Url& url) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int error = getaddrinfo(url.host.c_str(), std::to_string(url.port).c_str(), &hints, &found);
  if (error != 0) return std::unexpected(url.host + ": " + gai_strerror(error));
  Endpoint endpoint;
  std::memcpy(&endpoint.address, found->ai_addr, found->ai_addrlen);
  endpoint.address_bytes = found->ai_addrlen;
  freeaddrinfo(found);
  return endpoint;
}

bool IsReachable(const Endpoint& endpoint, std::int64_t patience_ns, const std::atomic<bool>& stop) {
  const std::int64_t give_up_ns = MonotonicNow_ns() + patience_ns;
  while (true) {
    const int fd = ::socket(endpoint.address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const bool connected = fd >= 0 && ::connect(fd, endpoint.socket_address(), endpoint.address_bytes) == 0;
    if (fd >= 0) ::close(fd);
    if (connected) return true;
    if (MonotonicNow_ns() >= give_up_ns || stop.load(std::memory_order_relaxed)) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

}  // namespace weir::bench
