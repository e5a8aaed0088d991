#include "engine/admin/end_connections.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <charconv>
#include <string>
#include <string_view>
#include <system_error>

namespace weir::admin {
namespace {

bool Listens(int fd) {
  int listens = 0;
  socklen_t size = sizeof listens;
  return ::getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) == 0 && listens != 0;
}

template <typename Matches>
void EndWhere(const Matches& matches) {
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd", error)) {
    const std::string name = entry.path().filename().string();
    int fd = -1;
    std::from_chars(name.data(), name.data() + name.size(), fd);
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    if (::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) continue;
    if (matches(address) && !Listens(fd)) ::shutdown(fd, SHUT_RDWR);
  }
}

}  // namespace

void EndConnectionsAt(const std::filesystem::path& unix_socket) {
  EndWhere([&](const sockaddr_storage& address) {
    return address.ss_family == AF_UNIX &&
           reinterpret_cast<const sockaddr_un&>(address).sun_path == unix_socket.native();
  });
}

void EndConnectionsAt(std::uint16_t tcp_port) {
  EndWhere([&](const sockaddr_storage& address) {
    if (address.ss_family == AF_INET)
      return ntohs(reinterpret_cast<const sockaddr_in&>(address).sin_port) == tcp_port;
    return address.ss_family == AF_INET6 &&
           ntohs(reinterpret_cast<const sockaddr_in6&>(address).sin6_port) == tcp_port;
  });
}

}  // namespace weir::admin
