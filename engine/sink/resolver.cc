#include "engine/sink/resolver.h"

#include <netdb.h>
#include <netinet/in.h>

#include <cstring>
#include <utility>

#include "engine/limits.h"

namespace weir::sink {

namespace {

void SetPort(io::SocketAddress& address, std::uint16_t port) {
  if (address.family() == AF_INET6) {
    reinterpret_cast<sockaddr_in6*>(&address.storage)->sin6_port = htons(port);
  } else {
    reinterpret_cast<sockaddr_in*>(&address.storage)->sin_port = htons(port);
  }
}

}  // namespace

Resolver::Resolver(std::string host, std::uint16_t port) : host_(std::move(host)), port_(port) {
  if (auto address = io::NumericAddress(host_, port_)) {
    numeric_ = true;
    addresses_.push_back(*address);
  }
}

std::expected<std::span<const io::SocketAddress>, std::string> Resolver::Resolve(std::int64_t now_ms) {
  if (!numeric_ && now_ms >= fresh_until_ms_) {
    LookUp();
    fresh_until_ms_ = now_ms + (addresses_.empty() ? limits::kResolveFailureKeptMs : limits::kResolvedKeptMs);
  }
  if (addresses_.empty()) return std::unexpected("cannot resolve " + host_ + ": " + error_);
  return addresses_;
}

void Resolver::LookUp() {
  addresses_.clear();
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int error = getaddrinfo(host_.c_str(), nullptr, &hints, &found); error != 0) {
    error_ = gai_strerror(error);
    return;
  }
  for (const addrinfo* entry = found; entry != nullptr; entry = entry->ai_next) {
    if (entry->ai_family != AF_INET && entry->ai_family != AF_INET6) continue;
    io::SocketAddress address;
    std::memcpy(&address.storage, entry->ai_addr, entry->ai_addrlen);
    address.length = entry->ai_addrlen;
    SetPort(address, port_);
    addresses_.push_back(address);
  }
  freeaddrinfo(found);
  if (addresses_.empty()) error_ = "no IPv4 or IPv6 address";
}

}  // namespace weir::sink
