// This machine's ceiling: the ring, the receive buffers and the request parser of the engine, and a fixed 200
// for every request. Nothing is verified, stored or remembered, so what weir does per event is the distance
// between the two.
//
//   null_server --listen 127.0.0.1:8081
//
// Honest means: it reads every byte of every request, frames bodies by Content-Length, keeps connections
// alive, takes pipelined requests and requests that arrive in pieces, and answers each. It closes on anything
// else (chunked bodies, syntax errors). One thread.
#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/http/request_parser.h"
#include "engine/io/buffer_ring.h"
#include "engine/io/ring.h"
#include "engine/io/socket.h"
#include "engine/limits.h"

namespace weir::bench {
namespace {

constexpr int kBacklog = 4096;
constexpr std::size_t kCompletionsPerTurn = 1024;
constexpr std::string_view kAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
constexpr std::size_t kAnswersPerSend = 64;

struct Connection {
  int fd = -1;
  std::uint32_t generation = 0;
  bool receiving = false;
  bool sending = false;
  bool closing = false;
  std::size_t owed = 0;       // answers not yet handed to the kernel
  std::size_t sent = 0;       // bytes of the answers in flight that have gone out
  std::size_t in_flight = 0;  // bytes
  std::string partial;        // a request that did not arrive whole
};

class NullServer {
 public:
  NullServer(io::Ring& ring, io::BufferRing& buffers, io::Descriptor listener)
      : ring_(ring), buffers_(buffers), listener_(std::move(listener)), parser_({}) {
    for (std::size_t i = 0; i < kAnswersPerSend; ++i) answers_ += kAnswer;
  }

  [[noreturn]] void Run() {
    ring_.AcceptMultishot(listener_.get(), {io::Op::kAccept, 0, 0});
    std::vector<io::Completion> batch(kCompletionsPerTurn);
    for (;;) {
      const std::size_t count = ring_.SubmitAndReap(batch, -1);
      for (std::size_t i = 0; i < count; ++i) Handle(batch[i]);
      buffers_.Replenish();
      for (const std::uint32_t slot : starved_) ArmReceive(slot);
      starved_.clear();
    }
  }

 private:
  void Handle(const io::Completion& completion);
  void OnAccepted(const io::Completion& completion);
  void OnReceived(std::uint32_t slot, const io::Completion& completion);
  void OnSent(std::uint32_t slot, const io::Completion& completion);
  std::size_t CountRequests(std::string_view bytes, Connection& connection);
  void ArmReceive(std::uint32_t slot);
  void SendOwed(std::uint32_t slot);
  void StartClose(std::uint32_t slot);

  io::Ring& ring_;
  io::BufferRing& buffers_;
  io::Descriptor listener_;
  http::RequestParser parser_;
  std::string answers_;  // kAnswersPerSend of them: what any send sends a part of
  std::vector<Connection> connections_;
  std::vector<std::uint32_t> free_;
  std::vector<std::uint32_t> starved_;
};

void NullServer::Handle(const io::Completion& completion) {
  const std::uint32_t slot = completion.user_data.slot;
  if (completion.user_data.op == io::Op::kAccept) return OnAccepted(completion);
  Connection& connection = connections_[slot];
  if (connection.generation != completion.user_data.generation) return;
  switch (completion.user_data.op) {
    case io::Op::kReceive:
      return OnReceived(slot, completion);
    case io::Op::kSend:
      return OnSent(slot, completion);
    case io::Op::kClose:
      connection.fd = -1;
      ++connection.generation;
      free_.push_back(slot);
      return;
    case io::Op::kNone:
    case io::Op::kAccept:
    case io::Op::kConnect:
    case io::Op::kCancel:
    case io::Op::kWake:
      return;
  }
}

void NullServer::OnAccepted(const io::Completion& completion) {
  if (!completion.more()) ring_.AcceptMultishot(listener_.get(), {io::Op::kAccept, 0, 0});
  if (completion.result < 0) return;
  if (free_.empty()) {
    free_.push_back(static_cast<std::uint32_t>(connections_.size()));
    connections_.emplace_back();
  }
  const std::uint32_t slot = free_.back();
  free_.pop_back();
  const std::uint32_t generation = connections_[slot].generation;
  connections_[slot] = Connection{};
  connections_[slot].fd = completion.result;
  connections_[slot].generation = generation;
  ArmReceive(slot);
}

void NullServer::ArmReceive(std::uint32_t slot) {
  Connection& connection = connections_[slot];
  if (connection.closing) return;
  connection.receiving = true;
  ring_.ReceiveMultishot(connection.fd, buffers_.group(), {io::Op::kReceive, slot, connection.generation});
}

void NullServer::OnReceived(std::uint32_t slot, const io::Completion& completion) {
  Connection& connection = connections_[slot];
  if (!completion.more()) connection.receiving = false;
  if (completion.has_buffer()) {
    const std::string_view bytes = buffers_.Take(completion);
    if (connection.partial.empty()) {
      const std::size_t consumed = CountRequests(bytes, connection);
      connection.partial.append(bytes.substr(consumed));
    } else {
      connection.partial.append(bytes);
      connection.partial.erase(0, CountRequests(connection.partial, connection));
    }
    buffers_.Return(completion.buffer_id());
  }
  if (completion.result == -ENOBUFS) {
    buffers_.Grow();
    starved_.push_back(slot);
  } else if (completion.result <= 0 || connection.closing) {
    return StartClose(slot);
  } else if (!connection.receiving) {
    ArmReceive(slot);
  }
  if (!connection.sending && connection.owed > 0) SendOwed(slot);
}

// Counts whole requests at the front of `bytes` into `owed`; returns how many bytes they take.
std::size_t NullServer::CountRequests(std::string_view bytes, Connection& connection) {
  std::size_t consumed = 0;
  while (consumed < bytes.size()) {
    const std::string_view rest = bytes.substr(consumed);
    parser_.Reset();
    const auto step = parser_.ParseHead(rest);
    if (step == http::RequestParser::Step::kNeedMore) break;
    if (step == http::RequestParser::Step::kError || parser_.request().chunked) {
      connection.closing = true;
      break;
    }
    const std::size_t size = parser_.head_bytes() + parser_.request().content_length.value_or(0);
    if (rest.size() < size) break;
    consumed += size;
    ++connection.owed;
  }
  return consumed;
}

void NullServer::SendOwed(std::uint32_t slot) {
  Connection& connection = connections_[slot];
  const std::size_t count = std::min(connection.owed, kAnswersPerSend);
  connection.owed -= count;
  connection.sent = 0;
  connection.in_flight = count * kAnswer.size();
  connection.sending = true;
  ring_.Send(connection.fd, std::span(answers_).first(connection.in_flight),
             {io::Op::kSend, slot, connection.generation});
}

void NullServer::OnSent(std::uint32_t slot, const io::Completion& completion) {
  Connection& connection = connections_[slot];
  connection.sending = false;
  if (completion.result < 0 || connection.closing) return StartClose(slot);
  connection.sent += static_cast<std::size_t>(completion.result);
  if (connection.sent < connection.in_flight) {
    connection.sending = true;
    ring_.Send(connection.fd,
               std::span(answers_).subspan(connection.sent, connection.in_flight - connection.sent),
               {io::Op::kSend, slot, connection.generation});
  } else if (connection.owed > 0) {
    SendOwed(slot);
  }
}

// Closes once the kernel has given back every operation on the socket.
void NullServer::StartClose(std::uint32_t slot) {
  Connection& connection = connections_[slot];
  connection.closing = true;
  if (connection.receiving || connection.sending) {
    ring_.CancelAll(connection.fd, {io::Op::kCancel, slot, connection.generation});
    return;
  }
  ring_.Close(connection.fd, {io::Op::kClose, slot, connection.generation});
}

std::expected<void, std::string> Serve(std::string_view listen) {
  const std::size_t colon = listen.rfind(':');
  std::uint16_t port = 0;
  if (colon == std::string_view::npos ||
      std::from_chars(listen.data() + colon + 1, listen.data() + listen.size(), port).ec != std::errc()) {
    return std::unexpected("--listen takes HOST:PORT");
  }
  const auto address = io::NumericAddress(listen.substr(0, colon), port);
  if (!address) return std::unexpected(address.error());
  if (auto free = io::CheckPortFree(*address); !free) return std::unexpected(free.error());
  auto listener = io::Listen(*address, kBacklog);
  if (!listener) return std::unexpected(listener.error());
  auto ring = io::Ring::Create(limits::kRingEntries);
  if (!ring) return std::unexpected(ring.error());
  auto buffers = io::BufferRing::Create(*ring, {.group = 0,
                                                .count = limits::kReceiveBuffers,
                                                .buffer_bytes = limits::kReceiveBufferBytes,
                                                .slack_bytes = limits::kJsonPaddingBytes});
  if (!buffers) return std::unexpected(buffers.error());
  std::printf("null_server: listening on %s, ring mode %s\n",
              io::LocalAddress(listener->get())->text().c_str(),
              std::string(io::RingModeName(ring->mode())).c_str());
  std::fflush(stdout);
  NullServer(*ring, *buffers, std::move(*listener)).Run();
}

}  // namespace
}  // namespace weir::bench

int main(int argc, char** argv) {
  if (argc != 3 || std::strcmp(argv[1], "--listen") != 0) {
    std::fputs("usage: null_server --listen 127.0.0.1:8081\n", stderr);
    return 2;
  }
  if (const auto served = weir::bench::Serve(argv[2]); !served) {
    std::fprintf(stderr, "null_server: %s\n", served.error().c_str());
    return 1;
  }
}
