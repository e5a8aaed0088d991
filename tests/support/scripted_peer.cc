#include "tests/support/scripted_peer.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <chrono>
#include <cstdlib>
#include <utility>

#include "storage/check.h"

namespace weir::tests {

namespace {

constexpr auto kDeadline = std::chrono::seconds(10);
constexpr auto kDripInterval = std::chrono::milliseconds(5);

int BoundSocket(std::uint16_t& port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  WEIR_CHECK(fd >= 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  WEIR_CHECK(::bind(fd, reinterpret_cast<sockaddr*>(&address), length) == 0);
  WEIR_CHECK(::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length) == 0);
  port = ntohs(address.sin_port);
  return fd;
}

bool SendAll(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

bool ReceiveMore(int fd, std::string& into) {
  char buffer[65536];
  const ssize_t got = ::recv(fd, buffer, sizeof buffer, 0);
  if (got <= 0) return false;
  into.append(buffer, static_cast<std::size_t>(got));
  return true;
}

bool SameName(std::string_view a, std::string_view b) {
  return std::ranges::equal(
      a, b, {}, [](unsigned char c) { return std::tolower(c); },
      [](unsigned char c) { return std::tolower(c); });
}

std::string TextOf(const PeerAnswer& answer) {
  return "HTTP/1.1 " + std::to_string(answer.status) + " Scripted\r\n" + answer.fields +
         "Content-Length: " + std::to_string(answer.body.size()) + "\r\n\r\n" + answer.body;
}

}  // namespace

std::string PeerRequest::Header(std::string_view name) const {
  std::size_t line_start = head.find("\r\n") + 2;
  while (line_start < head.size()) {
    const std::size_t line_end = head.find("\r\n", line_start);
    const std::string_view line = std::string_view(head).substr(line_start, line_end - line_start);
    line_start = line_end + 2;
    const std::size_t colon = line.find(':');
    if (!SameName(line.substr(0, colon), name)) continue;
    std::string_view value = line.substr(colon + 1);
    value.remove_prefix(std::min(value.find_first_not_of(' '), value.size()));
    return std::string(value);
  }
  return "";
}

ScriptedPeer::ScriptedPeer(Script script) : script_(std::move(script)), listener_(BoundSocket(port_)) {
  WEIR_CHECK(::listen(listener_, 1024) == 0);
  acceptor_ = std::thread([this] { Accept(); });
}

ScriptedPeer::~ScriptedPeer() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  ::shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  {
    const std::lock_guard lock(mutex_);
    for (Connection& connection : connections_) {
      if (connection.open) ::shutdown(connection.fd, SHUT_RDWR);
    }
  }
  for (Connection& connection : connections_) connection.thread.join();
  ::close(listener_);
}

std::vector<PeerRequest> ScriptedPeer::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

std::size_t ScriptedPeer::count() const {
  const std::lock_guard lock(mutex_);
  return requests_.size();
}

unsigned ScriptedPeer::connections() const {
  const std::lock_guard lock(mutex_);
  return static_cast<unsigned>(connections_.size());
}

bool ScriptedPeer::WaitForRequests(std::size_t count) const {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, kDeadline, [&] { return requests_.size() >= count; });
}

bool ScriptedPeer::WaitForEnd() const {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, kDeadline, [this] {
    return !connections_.empty() &&
           std::ranges::none_of(connections_, [](const Connection& connection) { return connection.open; });
  });
}

void ScriptedPeer::CloseAll() {
  std::unique_lock lock(mutex_);
  const auto each = [this](auto condition) { return std::ranges::all_of(connections_, condition); };
  changed_.wait_for(lock, kDeadline,
                    [&] { return each([](const Connection& c) { return !c.open || c.idle; }); });
  for (Connection& connection : connections_) {
    if (connection.open) ::shutdown(connection.fd, SHUT_RDWR);
  }
  changed_.wait_for(lock, kDeadline, [&] { return each([](const Connection& c) { return !c.open; }); });
}

void ScriptedPeer::Accept() {
  while (true) {
    const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    const std::lock_guard lock(mutex_);
    if (stopping_ || fd < 0) {
      if (fd >= 0) ::close(fd);
      return;
    }
    connections_.push_back(
        {.fd = fd, .number = static_cast<unsigned>(connections_.size()) + 1, .thread = {}});
    Connection& connection = connections_.back();
    connection.thread = std::thread([this, &connection] { Serve(connection); });
  }
}

void ScriptedPeer::Serve(Connection& connection) {
  std::string bytes;
  for (unsigned number = 1;; ++number) {
    PeerRequest request{.head = {}, .body = {}, .connection = connection.number, .number = number};
    if (!ReadRequest(connection, bytes, request)) break;
    PeerAnswer answer;
    {
      const std::lock_guard lock(script_mutex_);
      answer = script_(request);
    }
    {
      const std::lock_guard lock(mutex_);
      requests_.push_back(std::move(request));
      changed_.notify_all();
    }
    if (!Answer(connection, answer)) break;
  }
  const std::lock_guard lock(mutex_);
  ::close(connection.fd);
  connection.open = false;
  changed_.notify_all();
}

bool ScriptedPeer::ReadRequest(Connection& connection, std::string& bytes, PeerRequest& request) {
  const auto set_idle = [&](bool idle) {
    const std::lock_guard lock(mutex_);
    connection.idle = idle;
    changed_.notify_all();
  };
  set_idle(bytes.empty());
  std::size_t head_end;
  while ((head_end = bytes.find("\r\n\r\n")) == std::string::npos) {
    if (!ReceiveMore(connection.fd, bytes)) return false;
    set_idle(false);
  }
  request.head = bytes.substr(0, head_end + 4);
  const auto length = static_cast<std::size_t>(std::atoll(request.Header("content-length").c_str()));
  while (bytes.size() < head_end + 4 + length) {
    if (!ReceiveMore(connection.fd, bytes)) return false;
  }
  request.body = bytes.substr(head_end + 4, length);
  bytes.erase(0, head_end + 4 + length);
  return true;
}

// True if the connection goes on.
bool ScriptedPeer::Answer(const Connection& connection, const PeerAnswer& answer) {
  constexpr std::string_view kInterim = "HTTP/1.1 102 Processing\r\n\r\n";
  const auto hang = [&] {
    std::string ignored;
    while (ReceiveMore(connection.fd, ignored)) ignored.clear();
  };
  const auto reset = [&] {
    const linger at_once{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(connection.fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  };
  switch (answer.kind) {
    case PeerAnswer::Kind::kAnswer:
      return SendAll(connection.fd, TextOf(answer)) && !answer.close;
    case PeerAnswer::Kind::kHang:
      hang();
      return false;
    case PeerAnswer::Kind::kDrip:
      for (std::size_t i = 0; SendAll(connection.fd, kInterim.substr(i % kInterim.size(), 1)); ++i) {
        std::this_thread::sleep_for(kDripInterval);
      }
      return false;
    case PeerAnswer::Kind::kReset:
      reset();
      return false;
    case PeerAnswer::Kind::kClose:
      return false;
    case PeerAnswer::Kind::kVerbatim:
      SendAll(connection.fd, answer.body);
      return false;
    case PeerAnswer::Kind::kVerbatimReset:
      SendAll(connection.fd, answer.body);
      reset();
      return false;
    case PeerAnswer::Kind::kVerbatimHang:
      SendAll(connection.fd, answer.body);
      hang();
      return false;
  }
  return false;
}

std::uint16_t ClosedPort() {
  std::uint16_t port = 0;
  ::close(BoundSocket(port));
  return port;
}

}  // namespace weir::tests
