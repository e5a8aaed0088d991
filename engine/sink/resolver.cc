#include "engine/sink/resolver.h"

#include <netdb.h>
#include <netinet/in.h>

#include <cerrno>
#include <cstring>
#include <mutex>
#include <new>
#include <utility>

#include "engine/limits.h"
#include "engine/sink/sink.h"
#include "storage/memory_shortage.h"
#include "storage/start_thread.h"

namespace weir::sink {

namespace {

void SetPort(io::SocketAddress& address, std::uint16_t port) {
  if (address.family() == AF_INET6) {
    reinterpret_cast<sockaddr_in6*>(&address.storage)->sin6_port = htons(port);
  } else {
    reinterpret_cast<sockaddr_in*>(&address.storage)->sin_port = htons(port);
  }
}

struct Found {
  std::vector<io::SocketAddress> addresses;
  std::string problem;
  bool passing = false;  // the resolver could not be asked, which says nothing about the name
};

Found Find(const std::string& host, std::uint16_t port) {
  Found found;
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  if (const int error = getaddrinfo(host.c_str(), nullptr, &hints, &list); error != 0) {
    const char* const text = error == EAI_SYSTEM ? strerrordesc_np(errno) : gai_strerror(error);
    found.problem = text != nullptr ? text : "unknown error";
    found.passing = error == EAI_AGAIN || error == EAI_MEMORY || error == EAI_SYSTEM;
    return found;
  }
  for (const addrinfo* entry = list; entry != nullptr; entry = entry->ai_next) {
    if (entry->ai_family != AF_INET && entry->ai_family != AF_INET6) continue;
    io::SocketAddress address;
    std::memcpy(&address.storage, entry->ai_addr, entry->ai_addrlen);
    address.length = entry->ai_addrlen;
    SetPort(address, port);
    found.addresses.push_back(address);
  }
  freeaddrinfo(list);
  if (found.addresses.empty()) found.problem = "no IPv4 or IPv6 address";
  return found;
}

Found FindOrLackMemory(const std::string& host, std::uint16_t port) {
  try {
    const MayLackMemory here;
    return Find(host, port);
  } catch (const std::bad_alloc&) {
    Found found;
    found.passing = true;
    found.problem = "no memory";  // short enough to be kept without any
    return found;
  }
}

}  // namespace

struct Resolver::LookUp {
  std::mutex mutex;
  bool done = false;                // protected by mutex
  Found found;                      // protected by mutex
  io::EventfdWake* wake = nullptr;  // protected by mutex; null once nobody waits
};

Resolver::Resolver(std::string host, std::uint16_t port, io::EventfdWake& wake)
    : host_(std::move(host)), port_(port), wake_(wake) {
  if (auto address = io::NumericAddress(host_, port_)) {
    numeric_ = true;
    addresses_.push_back(*address);
  }
}

Resolver::~Resolver() {
  if (!under_way_) return;
  const std::scoped_lock lock(under_way_->mutex);
  under_way_->wake = nullptr;
}

Resolver::State Resolver::Ask(std::int64_t now_ms) {
  if (numeric_) return State::kKnown;
  if (under_way_) {
    Take();
    if (!under_way_) {
      fresh_until_ms_ = now_ms + (problem_.empty() ? limits::kResolvedKeptMs : limits::kResolveFailureKeptMs);
    }
  } else if (now_ms >= fresh_until_ms_) {
    Begin();
    if (!under_way_) fresh_until_ms_ = now_ms + kShortageRetryMs;
  }
  if (!addresses_.empty()) return State::kKnown;
  return under_way_ ? State::kAsking : State::kUnknown;
}

void Resolver::Begin() {
  auto look_up = std::make_shared<LookUp>();
  look_up->wake = &wake_;
  auto thread = StartThread("resolver", [look_up, host = host_, port = port_](const std::stop_token&) {
    Found found = FindOrLackMemory(host, port);
    const std::scoped_lock lock(look_up->mutex);
    look_up->found = std::move(found);
    look_up->done = true;
    if (look_up->wake != nullptr) look_up->wake->Signal();
  });
  if (!thread) {
    problem_ = std::move(thread.error());
    return;
  }
  thread->detach();
  under_way_ = std::move(look_up);
}

void Resolver::Take() {
  {
    const std::scoped_lock lock(under_way_->mutex);
    if (!under_way_->done) return;
    Found& found = under_way_->found;
    problem_ = std::move(found.problem);
    if (!found.passing) addresses_ = std::move(found.addresses);
  }
  under_way_.reset();
}

}  // namespace weir::sink
