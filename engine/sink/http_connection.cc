#include "engine/sink/http_connection.h"

#include <cctype>
#include <cerrno>
#include <cstring>
#include <utility>

#include "engine/limits.h"
#include "storage/check.h"

namespace weir::sink {

namespace {

// "connection refused": short enough for a table of dead letters.
std::string ErrorText(int error) {
  const char* const text = strerrordesc_np(error);
  std::string lower = text != nullptr ? text : "errno " + std::to_string(error);
  lower.front() = static_cast<char>(std::tolower(static_cast<unsigned char>(lower.front())));
  return lower;
}

// Of connect(2): no local port, memory or descriptor; the peer was never asked.
bool IsLocalShortage(int error) {
  switch (error) {
    case EADDRNOTAVAIL:
    case EAGAIN:
    case ENOMEM:
    case ENOBUFS:
    case EMFILE:
    case ENFILE:
      return true;
    default:
      return false;
  }
}

}  // namespace

HttpConnection::HttpConnection(std::uint32_t slot, std::size_t answer_kept_bytes)
    : slot_(slot), parser_(answer_kept_bytes) {}

bool HttpConnection::Connect(io::Ring& ring, const io::SocketAddress& address) {
  WEIR_CHECK(state_ == State::kFree);
  auto socket = io::OpenStream(address.family());
  if (!socket) {
    problem_ = std::move(socket.error());
    return false;
  }
  if (!received_) received_ = std::make_unique<char[]>(limits::kSinkReceiveBytes);
  socket_ = std::move(*socket);
  address_ = address;
  state_ = State::kConnecting;
  connect_in_flight_ = true;
  ring.Connect(socket_.get(), address_.get(), address_.length, Tag(io::Op::kConnect));
  return true;
}

void HttpConnection::BeginExchange(io::Ring& ring) {
  WEIR_CHECK(state_ == State::kIdle || (state_ == State::kConnecting && !connect_in_flight_));
  WEIR_CHECK(!send_in_flight_);
  state_ = State::kExchanging;
  sent_bytes_ = 0;
  received_anything_ = false;
  status_reported_ = false;
  parser_.Reset();
  SendRest(ring);
  if (!receive_in_flight_) ArmReceive(ring);
}

HttpConnection::Event HttpConnection::OnCompletion(io::Ring& ring, const io::Completion& completion) {
  switch (completion.user_data.op) {
    case io::Op::kConnect:
      return OnConnected(ring, completion.result);
    case io::Op::kSend:
      return OnSent(ring, completion.result);
    case io::Op::kReceive:
      return OnReceived(ring, completion.result);
    case io::Op::kNone:
    case io::Op::kAccept:
    case io::Op::kClose:
    case io::Op::kCancel:
    case io::Op::kWake:
      break;
  }
  return Event::kNone;
}

void HttpConnection::Close(io::Ring& ring) {
  if (state_ == State::kFree || state_ == State::kClosing) return;
  state_ = State::kClosing;
  if (connect_in_flight_ || send_in_flight_ || receive_in_flight_) {
    ring.CancelAll(socket_.get(), Tag(io::Op::kCancel));
  }
  FreeIfDone();
}

void HttpConnection::ArmReceive(io::Ring& ring) {
  receive_in_flight_ = true;
  ring.Receive(socket_.get(), {received_.get(), limits::kSinkReceiveBytes}, Tag(io::Op::kReceive));
}

void HttpConnection::SendRest(io::Ring& ring) {
  send_in_flight_ = true;
  ring.Send(socket_.get(), std::span(request_).subspan(sent_bytes_), Tag(io::Op::kSend));
}

HttpConnection::Event HttpConnection::OnConnected(io::Ring& ring, std::int32_t result) {
  connect_in_flight_ = false;
  if (state_ == State::kClosing) {
    FreeIfDone();
    return Event::kNone;
  }
  connect_lacked_something_ = IsLocalShortage(-result);
  if (result < 0) return Break(ring, Event::kConnectFailed, ErrorText(-result));
  return Event::kConnected;
}

HttpConnection::Event HttpConnection::OnSent(io::Ring& ring, std::int32_t result) {
  send_in_flight_ = false;
  if (state_ == State::kClosing) {
    FreeIfDone();
    return Event::kNone;
  }
  WEIR_CHECK(state_ == State::kExchanging);
  // A peer may refuse early (413) and close: its answer can be in the socket although sending failed. The
  // receive that is armed says which.
  if (result < 0) return Event::kNone;
  sent_bytes_ += static_cast<std::size_t>(result);
  if (sent_bytes_ < request_.size()) SendRest(ring);
  return Event::kNone;
}

HttpConnection::Event HttpConnection::OnReceived(io::Ring& ring, std::int32_t result) {
  receive_in_flight_ = false;
  if (state_ == State::kClosing) {
    FreeIfDone();
    return Event::kNone;
  }
  if (state_ == State::kIdle) {  // the peer's end of keep-alive, or bytes nobody asked for
    Close(ring);
    return Event::kNone;
  }
  WEIR_CHECK(state_ == State::kExchanging);
  if (result > 0) return OnBytes(ring, {received_.get(), static_cast<std::size_t>(result)});
  // Closed or reset, the peer has done what it said it did.
  if (parser_.Finish() == http::ResponseParser::Step::kDone) return EndExchange(ring, false);
  if (result < 0) return Break(ring, Event::kBroken, ErrorText(-result));
  return Break(ring, Event::kBroken, received_anything_ ? "closed mid-answer" : "closed without an answer");
}

HttpConnection::Event HttpConnection::OnBytes(io::Ring& ring, std::string_view bytes) {
  received_anything_ = true;
  std::size_t consumed = 0;
  switch (parser_.Feed(bytes, consumed)) {
    case http::ResponseParser::Step::kError:
      return Break(ring, Event::kNotHttp, "not an HTTP answer");
    case http::ResponseParser::Step::kNeedMore:
      ArmReceive(ring);
      if (status() == 0 || std::exchange(status_reported_, true)) return Event::kNone;
      return Event::kStatus;
    case http::ResponseParser::Step::kDone:
      return EndExchange(ring, answer().keep_alive && consumed == bytes.size());
  }
  WEIR_CHECK(false);
}

bool HttpConnection::ConcludeEarly() {
  return state_ == State::kExchanging && parser_.Finish() == http::ResponseParser::Step::kDone;
}

HttpConnection::Event HttpConnection::EndExchange(io::Ring& ring, bool reusable) {
  // An answer before the request was taken whole leaves the rest of it in the way of the next one.
  if (!reusable || send_in_flight_ || sent_bytes_ < request_.size()) {
    Close(ring);
    return Event::kAnswered;
  }
  state_ = State::kIdle;
  if (request_.capacity() > limits::kSinkRequestKeptBytes) std::string().swap(request_);
  ArmReceive(ring);
  return Event::kAnswered;
}

HttpConnection::Event HttpConnection::Break(io::Ring& ring, Event how, std::string problem) {
  problem_ = std::move(problem);
  Close(ring);
  return how;
}

void HttpConnection::FreeIfDone() {
  if (connect_in_flight_ || send_in_flight_ || receive_in_flight_) return;
  socket_.Reset();
  ++generation_;
  state_ = State::kFree;
}

}  // namespace weir::sink
