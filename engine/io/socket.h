// Sockets as the ring wants them: blocking mode, close-on-exec, TCP_NODELAY. Every failure names its call,
// its address and its errno.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace weir::io {

// Owns a file descriptor until it is handed to the ring (Release): what the kernel works on is closed by the
// ring.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(other.Release()) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    Reset(other.Release());
    return *this;
  }
  ~Descriptor() { Reset(); }

  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }
  int Release() { return std::exchange(fd_, -1); }
  void Reset(int fd = -1);

 private:
  int fd_ = -1;
};

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t length = 0;

  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
  int family() const { return storage.ss_family; }
  std::uint16_t port() const;
  std::string text() const;  // "127.0.0.1:8080", "[::1]:8080"
};

// `host` is a numeric IPv4 or IPv6 address, the latter with or without brackets. Never resolves names.
std::expected<SocketAddress, std::string> NumericAddress(std::string_view host, std::uint16_t port);

// A listening socket that shares its port with the other threads of this process (SO_REUSEPORT). Accepted
// sockets inherit TCP_NODELAY from it, which saves a system call a connection.
std::expected<Descriptor, std::string> Listen(const SocketAddress& address, int backlog);

// An error if somebody listens on this address already. SO_REUSEPORT would let a second program of the same
// user join in and take half of the connections; so the first thread asks before it listens.
std::expected<void, std::string> CheckPortFree(const SocketAddress& address);

// Where a listening or connected socket is bound, with the port the kernel chose.
std::expected<SocketAddress, std::string> LocalAddress(int fd);

// An unconnected TCP socket for Ring::Connect.
std::expected<Descriptor, std::string> OpenStream(int family);

}  // namespace weir::io
