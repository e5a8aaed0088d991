#include "engine/io/socket.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "engine/io/system_error.h"

namespace weir::io {
namespace {

std::unexpected<std::string> Failure(std::string_view call, const SocketAddress& address, int error) {
  std::string sentence = DescribeError(std::string(call) + " " + address.text(), error);
  if (error == EADDRINUSE) sentence += ": another program listens there";
  if (error == EACCES) sentence += ": ports below 1024 need CAP_NET_BIND_SERVICE";
  return std::unexpected(std::move(sentence));
}

bool Enable(int fd, int level, int option) {
  const int on = 1;
  return setsockopt(fd, level, option, &on, sizeof on) == 0;
}

}  // namespace

void Descriptor::Reset(int fd) {
  if (fd_ >= 0) close(fd_);
  fd_ = fd;
}

std::uint16_t SocketAddress::port() const {
  if (family() == AF_INET6) return ntohs(reinterpret_cast<const sockaddr_in6*>(&storage)->sin6_port);
  return ntohs(reinterpret_cast<const sockaddr_in*>(&storage)->sin_port);
}

std::string SocketAddress::text() const {
  std::array<char, INET6_ADDRSTRLEN> host{};
  if (family() == AF_INET6) {
    inet_ntop(AF_INET6, &reinterpret_cast<const sockaddr_in6*>(&storage)->sin6_addr, host.data(),
              host.size());
    return "[" + std::string(host.data()) + "]:" + std::to_string(port());
  }
  inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in*>(&storage)->sin_addr, host.data(), host.size());
  return std::string(host.data()) + ":" + std::to_string(port());
}

std::expected<SocketAddress, std::string> NumericAddress(std::string_view host, std::uint16_t port) {
  std::string text(host);
  if (text.size() > 2 && text.front() == '[' && text.back() == ']') text = text.substr(1, text.size() - 2);
  SocketAddress address;
  auto* v4 = reinterpret_cast<sockaddr_in*>(&address.storage);
  if (inet_pton(AF_INET, text.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(port);
    address.length = sizeof *v4;
    return address;
  }
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&address.storage);
  if (inet_pton(AF_INET6, text.c_str(), &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(port);
    address.length = sizeof *v6;
    return address;
  }
  return std::unexpected("'" + text + "' is not a numeric IPv4 or IPv6 address");
}

std::expected<Descriptor, std::string> Listen(const SocketAddress& address, int backlog) {
  Descriptor fd(socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return Failure("socket", address, errno);
  if (!Enable(fd.get(), SOL_SOCKET, SO_REUSEADDR) || !Enable(fd.get(), SOL_SOCKET, SO_REUSEPORT) ||
      !Enable(fd.get(), IPPROTO_TCP, TCP_NODELAY)) {
    return Failure("setsockopt", address, errno);
  }
  // [::] means IPv6 only: who wants both families lists both, and then neither bind can fail because of the
  // other.
  if (address.family() == AF_INET6 && !Enable(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY)) {
    return Failure("setsockopt", address, errno);
  }
  if (bind(fd.get(), address.get(), address.length) != 0) return Failure("bind", address, errno);
  if (listen(fd.get(), backlog) != 0) return Failure("listen", address, errno);
  return fd;
}

std::expected<void, std::string> CheckPortFree(const SocketAddress& address) {
  if (address.port() == 0) return {};
  const Descriptor fd(socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return Failure("socket", address, errno);
  // Without this, connections of the last run that are in TIME_WAIT would look like somebody listening.
  if (!Enable(fd.get(), SOL_SOCKET, SO_REUSEADDR)) return Failure("setsockopt", address, errno);
  if (address.family() == AF_INET6 && !Enable(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY)) {
    return Failure("setsockopt", address, errno);
  }
  if (bind(fd.get(), address.get(), address.length) != 0) return Failure("bind", address, errno);
  return {};
}

std::expected<SocketAddress, std::string> LocalAddress(int fd) {
  SocketAddress address;
  address.length = sizeof address.storage;
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&address.storage), &address.length) != 0) {
    return std::unexpected(DescribeError("getsockname", errno));
  }
  return address;
}

std::expected<Descriptor, std::string> OpenStream(int family) {
  Descriptor fd(socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return std::unexpected(DescribeError("socket", errno));
  if (!Enable(fd.get(), IPPROTO_TCP, TCP_NODELAY)) return std::unexpected(DescribeError("setsockopt", errno));
  return fd;
}

}  // namespace weir::io
