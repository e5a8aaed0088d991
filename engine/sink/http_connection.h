// One connection of an http sink: its socket, what the kernel holds of it, and the exchange under way. Knows
// bytes and states; what an answer means and which attempt it belongs to is the sink's business
// (http_sink.cc).
//
//   free -> connecting -> exchanging <-> idle
//              '------------'------------'--> closing -> free
//
// While the socket is open a receive is always in the kernel's hands, so that a peer that closes an idle
// connection is noticed before the next request is sent into it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "engine/http/response_parser.h"
#include "engine/io/ring.h"
#include "engine/io/socket.h"

namespace weir::sink {

class HttpConnection {
 public:
  enum class State : std::uint8_t {
    kFree,        // no socket, nothing in the kernel
    kConnecting,  // a connect is in the kernel; OnCompletion moves it on
    kExchanging,  // a request is being sent, its answer awaited
    kIdle,        // kept alive; BeginExchange takes it
    kClosing,     // cancelled; the last completion makes it free
  };
  enum class Event : std::uint8_t {
    kNone,
    kConnected,      // BeginExchange may be called
    kConnectFailed,  // see problem(); the connection closes
    kStatus,         // see status(); the rest of the answer is awaited
    kAnswered,       // see answer(); the connection is idle or closes
    kBroken,         // no status line will come, see problem(); the connection closes
    kNotHttp,        // what came is not an answer, see problem(); the connection closes
  };

  HttpConnection(std::uint32_t slot, std::size_t answer_kept_bytes);

  State state() const { return state_; }
  std::uint32_t generation() const { return generation_; }

  // The request to send next. Write it while free or idle; it stays until the answer, so that it can be sent
  // again.
  std::string& request() { return request_; }

  // REQUIRES: free. False if the process is out of descriptors (see problem()).
  bool Connect(io::Ring& ring, const io::SocketAddress& address);
  // Sends request(). REQUIRES: kConnected was just reported, or idle.
  void BeginExchange(io::Ring& ring);
  // REQUIRES: the completion is of this slot and generation.
  Event OnCompletion(io::Ring& ring, const io::Completion& completion);
  // There is no time for the rest of the exchange. True if its status line has come: answer() is what is known. The
  // caller closes the connection.
  bool ConcludeEarly();
  // Gives the socket up. Free at once if the kernel holds nothing, else closing.
  void Close(io::Ring& ring);

  const http::Response& answer() const { return parser_.response(); }
  int status() const { return parser_.status(); }
  const std::string& problem() const { return problem_; }
  // After kConnectFailed: this machine had no port or memory to connect with.
  bool connect_lacked_something() const { return connect_lacked_something_; }
  bool received_anything() const { return received_anything_; }

 private:
  io::UserData Tag(io::Op op) const { return {op, slot_, generation_}; }
  void ArmReceive(io::Ring& ring);
  void SendRest(io::Ring& ring);
  Event OnConnected(io::Ring& ring, std::int32_t result);
  Event OnSent(io::Ring& ring, std::int32_t result);
  Event OnReceived(io::Ring& ring, std::int32_t result);
  Event OnBytes(io::Ring& ring, std::string_view bytes);
  Event EndExchange(io::Ring& ring, bool reusable);
  Event Break(io::Ring& ring, Event how, std::string problem);
  void FreeIfDone();

  const std::uint32_t slot_;
  std::uint32_t generation_ = 0;
  State state_ = State::kFree;

  // True exactly while the kernel holds the operation and its buffer.
  bool connect_in_flight_ = false;
  bool send_in_flight_ = false;
  bool receive_in_flight_ = false;

  io::Descriptor socket_;
  io::SocketAddress address_;  // read by the kernel when the connect is submitted
  std::string request_;
  std::size_t sent_bytes_ = 0;
  bool received_anything_ = false;    // in this exchange
  bool status_reported_ = false;      // of this exchange
  std::unique_ptr<char[]> received_;  // limits::kSinkReceiveBytes, made with the first connection
  http::ResponseParser parser_;
  std::string problem_;
  bool connect_lacked_something_ = false;
};

}  // namespace weir::sink
