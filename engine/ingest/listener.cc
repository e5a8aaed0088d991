#include "engine/ingest/listener.h"

#include <fcntl.h>
#include <sys/socket.h>

#include <cerrno>
#include <utility>

#include "engine/limits.h"

namespace weir::ingest {
namespace {

constexpr std::size_t kRefusedAtOnceMax = 256;

io::Descriptor OpenReserve() {
  return io::Descriptor(open("/dev/null", O_RDONLY | O_CLOEXEC));
}

// The ring wants blocking mode; these accepts, made between two uses of the ring, must not block.
class NonBlocking {
 public:
  explicit NonBlocking(int fd) : fd_(fd), flags_(fcntl(fd, F_GETFL)) {
    fcntl(fd_, F_SETFL, flags_ | O_NONBLOCK);
  }
  ~NonBlocking() { fcntl(fd_, F_SETFL, flags_); }
  NonBlocking(const NonBlocking&) = delete;
  NonBlocking& operator=(const NonBlocking&) = delete;

 private:
  int fd_;
  int flags_;
};

}  // namespace

std::expected<Listener, std::string> Listener::Open(std::span<const config::Address> addresses,
                                                    bool exclusive) {
  std::vector<Socket> sockets;
  for (const config::Address& configured : addresses) {
    const auto address = io::NumericAddress(configured.host, configured.port);
    if (!address) return std::unexpected("listen: " + address.error());
    if (exclusive) {
      if (auto free = io::CheckPortFree(*address); !free) return std::unexpected(free.error());
    }
    auto fd = io::Listen(*address, limits::kListenBacklog);
    if (!fd) return std::unexpected(fd.error());
    sockets.push_back({.fd = std::move(*fd)});
  }
  return Listener(std::move(sockets), OpenReserve());
}

std::vector<config::Address> Listener::bound() const {
  std::vector<config::Address> addresses;
  for (const Socket& socket : sockets_) {
    const auto local = io::LocalAddress(socket.fd.get());
    if (!local) continue;
    std::string host = local->text();
    host.resize(host.rfind(':'));
    addresses.push_back({.host = std::move(host), .port = local->port()});
  }
  return addresses;
}

void Listener::Arm(io::Ring& ring) {
  for (std::size_t i = 0; i < sockets_.size(); ++i) Arm(ring, i);
}

void Listener::Arm(io::Ring& ring, std::size_t index) {
  sockets_[index].armed = true;
  ring.AcceptMultishot(sockets_[index].fd.get(), {io::Op::kAccept, static_cast<std::uint32_t>(index), 0});
}

io::Descriptor Listener::OnAccepted(io::Ring& ring, const io::Completion& completion, std::int64_t now_ms) {
  const std::size_t index = completion.user_data.slot;
  Socket& socket = sockets_[index];
  if (!completion.more()) socket.armed = false;
  out_of_descriptors_ = false;
  switch (completion.result < 0 ? -completion.result : 0) {
    case 0:
    case ECONNABORTED:  // from here on, errors of the connection that would have been accepted (accept(2))
    case EINTR:
    case EAGAIN:
    case EPERM:
    case EPROTO:
    case ENOPROTOOPT:
    case EOPNOTSUPP:
    case ENETDOWN:
    case ENETUNREACH:
    case EHOSTDOWN:
    case EHOSTUNREACH:
    case ENONET:
      if (!socket.armed && !stopping_) Arm(ring, index);
      break;
    case ECANCELED:
      break;
    case EMFILE:
    case ENFILE:
      out_of_descriptors_ = true;
      retry_at_ms_ = now_ms + limits::kAcceptRetryMs;
      break;
    default:  // of the socket or of memory: arming it again at once might fail at once
      retry_at_ms_ = now_ms + limits::kAcceptRetryMs;
      break;
  }
  return io::Descriptor(completion.result >= 0 ? completion.result : -1);
}

std::int64_t Listener::Retry(io::Ring& ring, std::int64_t now_ms) {
  if (retry_at_ms_ < 0 || stopping_) return -1;
  if (now_ms < retry_at_ms_) return retry_at_ms_;
  retry_at_ms_ = -1;
  for (std::size_t i = 0; i < sockets_.size(); ++i) {
    if (!sockets_[i].armed) Arm(ring, i);
  }
  return -1;
}

std::size_t Listener::RefuseBacklog(std::size_t index, std::string_view refusal) {
  const int listening = sockets_[index].fd.get();
  const NonBlocking guard(listening);
  std::size_t count = 0;
  for (; count < kRefusedAtOnceMax; ++count) {
    reserve_.Reset();
    io::Descriptor refused(accept4(listening, nullptr, nullptr, SOCK_CLOEXEC));
    const bool empty = !refused.valid();
    if (!empty) TurnAway(std::move(refused), refusal);
    reserve_ = OpenReserve();
    if (empty) break;
  }
  return count;
}

void Listener::TurnAway(io::Descriptor fd, std::string_view refusal) {
  send(fd.get(), refusal.data(), refusal.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  shutdown(fd.get(), SHUT_WR);
}

void Listener::Stop(io::Ring& ring) {
  stopping_ = true;
  for (const Socket& socket : sockets_) {
    if (socket.armed) ring.CancelAll(socket.fd.get(), {io::Op::kNone, 0, 0});
  }
}

bool Listener::stopped() const {
  if (!stopping_) return false;
  for (const Socket& socket : sockets_) {
    if (socket.armed) return false;
  }
  return true;
}

std::vector<io::Descriptor> Listener::TakeBacklog() {
  std::vector<io::Descriptor> connections;
  for (Socket& socket : sockets_) {
    if (!socket.fd.valid()) continue;
    {
      const NonBlocking guard(socket.fd.get());
      for (int i = 0; i < limits::kListenBacklog; ++i) {
        io::Descriptor connection(accept4(socket.fd.get(), nullptr, nullptr, SOCK_CLOEXEC));
        if (!connection.valid()) break;
        connections.push_back(std::move(connection));
      }
    }
    socket.fd.Reset();
  }
  return connections;
}

}  // namespace weir::ingest
