#include "engine/http/response_parser.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "engine/http/answer_head.h"
#include "engine/http/chunked_body.h"
#include "engine/limits.h"

namespace weir::http {

struct ResponseParser::State {
  enum class Phase : std::uint8_t { kHead, kSizedBody, kChunkedBody, kBodyUntilClose, kDone, kError };

  explicit State(std::size_t the_body_kept_bytes_max) : body_kept_bytes_max(the_body_kept_bytes_max) {}

  Phase Advance(std::string_view bytes, std::size_t& consumed);
  Phase ReadHead(std::string_view bytes, std::size_t& consumed);
  Phase ReadSizedBody(std::string_view bytes, std::size_t& consumed, Phase when_incomplete);
  Phase ReadChunkedBody(std::string_view bytes, std::size_t& consumed);
  Phase ApplyHead();
  Phase BeginBody();
  Phase EndConnection();
  Phase Abandon();
  Phase Fail(std::string_view why);
  void Keep(std::string_view body);
  int FinalStatus() const;
  void Reset();

  const std::size_t body_kept_bytes_max;
  Phase phase = Phase::kHead;
  AnswerHead head;
  ChunkedBody chunks;
  std::string decoded;
  std::uint64_t body_bytes_left = 0;
  bool body_cut_short = false;
  Response response;
  std::string_view error_detail;
};

ResponseParser::State::Phase ResponseParser::State::Fail(std::string_view why) {
  error_detail = why;
  return Phase::kError;
}

void ResponseParser::State::Keep(std::string_view body) {
  const std::size_t room = body_kept_bytes_max - response.body_start.size();
  response.body_start.append(body.substr(0, room));
}

// The status is all that has to be known: an answer ends here, and with it its connection.
ResponseParser::State::Phase ResponseParser::State::EndConnection() {
  response.keep_alive = false;
  return Phase::kDone;
}

// RFC 9112 §6.3, and where the head is in doubt the reading that ends soonest.
ResponseParser::State::Phase ResponseParser::State::BeginBody() {
  const auto coding = head.coding();
  const auto content_length = head.content_length();
  if (response.status < 200) return EndConnection();
  if (response.status == 204 || response.status == 304) {
    // What a server announces it may also send.
    const bool announced = coding != AnswerHead::Coding::kNone || content_length.value_or(0) != 0;
    return response.status == 204 && announced ? EndConnection() : Phase::kDone;
  }
  if (coding == AnswerHead::Coding::kChunked) return Phase::kChunkedBody;
  if (content_length) {
    body_cut_short = *content_length > limits::kResponseBodyBytesMax;
    body_bytes_left = std::min<std::uint64_t>(*content_length, limits::kResponseBodyBytesMax);
    return body_bytes_left == 0 ? Phase::kDone : Phase::kSizedBody;
  }
  if (coding == AnswerHead::Coding::kUnknown || !head.length_readable()) return EndConnection();
  response.keep_alive = false;
  body_bytes_left = limits::kResponseBodyBytesMax;
  return Phase::kBodyUntilClose;
}

// 101 is final: nobody asked for another protocol, so no further answer in this one will come.
int ResponseParser::State::FinalStatus() const {
  if (response.status != 0) return response.status;
  return head.status() >= 200 || head.status() == 101 ? head.status() : 0;
}

ResponseParser::State::Phase ResponseParser::State::ApplyHead() {
  if (FinalStatus() == 0) {
    head.BeginNext();
    return Phase::kHead;
  }
  response.status = head.status();
  response.keep_alive = head.Persists();
  response.retry_after = head.retry_after();
  return BeginBody();
}

ResponseParser::State::Phase ResponseParser::State::ReadHead(std::string_view bytes, std::size_t& consumed) {
  switch (head.Read(bytes, consumed)) {
    case AnswerHead::Step::kNeedMore:
      return Phase::kHead;
    case AnswerHead::Step::kDone:
      return ApplyHead();
    case AnswerHead::Step::kTooLarge:
      return Abandon();
    case AnswerHead::Step::kNotHttp:
      return Fail("not an HTTP answer");
  }
  return Phase::kError;
}

// No more of the answer will be read. Its status stands if it has one.
ResponseParser::State::Phase ResponseParser::State::Abandon() {
  switch (phase) {
    case Phase::kHead:
      head.Finish();
      if (FinalStatus() == 0) return Fail("the connection ended before a final status line");
      response.status = head.status();
      response.retry_after = head.retry_after();
      return EndConnection();
    case Phase::kSizedBody:
    case Phase::kChunkedBody:
    case Phase::kBodyUntilClose:
      return EndConnection();
    case Phase::kDone:
    case Phase::kError:
      break;
  }
  return phase;
}

// Past kResponseBodyBytesMax the answer counts as complete, for the status is what matters, but its
// connection does not.
ResponseParser::State::Phase ResponseParser::State::ReadSizedBody(std::string_view bytes,
                                                                  std::size_t& consumed,
                                                                  Phase when_incomplete) {
  consumed = std::min<std::uint64_t>(bytes.size(), body_bytes_left);
  Keep(bytes.substr(0, consumed));
  body_bytes_left -= consumed;
  if (body_bytes_left != 0) return when_incomplete;
  if (body_cut_short) response.keep_alive = false;
  return Phase::kDone;
}

ResponseParser::State::Phase ResponseParser::State::ReadChunkedBody(std::string_view bytes,
                                                                    std::size_t& consumed) {
  decoded.clear();
  const ChunkedBody::Step step = chunks.Decode(bytes, decoded, limits::kResponseBodyBytesMax, consumed);
  Keep(decoded);
  switch (step) {
    case ChunkedBody::Step::kNeedMore:
      return Phase::kChunkedBody;
    case ChunkedBody::Step::kDone:
      return Phase::kDone;
    case ChunkedBody::Step::kFault:
      return EndConnection();
  }
  return Phase::kError;
}

ResponseParser::State::Phase ResponseParser::State::Advance(std::string_view bytes, std::size_t& consumed) {
  switch (phase) {
    case Phase::kHead:
      return ReadHead(bytes, consumed);
    case Phase::kSizedBody:
    case Phase::kBodyUntilClose:
      return ReadSizedBody(bytes, consumed, phase);
    case Phase::kChunkedBody:
      return ReadChunkedBody(bytes, consumed);
    case Phase::kDone:
    case Phase::kError:
      break;
  }
  return phase;
}

void ResponseParser::State::Reset() {
  phase = Phase::kHead;
  head.Reset();
  chunks = ChunkedBody();
  body_bytes_left = 0;
  body_cut_short = false;
  response.status = 0;
  response.keep_alive = true;
  response.retry_after.reset();
  response.body_start.clear();
  error_detail = {};
}

ResponseParser::ResponseParser(std::size_t body_kept_bytes_max)
    : state_(std::make_unique<State>(body_kept_bytes_max)) {}
ResponseParser::~ResponseParser() = default;
ResponseParser::ResponseParser(ResponseParser&&) noexcept = default;
ResponseParser& ResponseParser::operator=(ResponseParser&&) noexcept = default;

ResponseParser::Step ResponseParser::Feed(std::string_view bytes, std::size_t& consumed) {
  consumed = 0;
  while (consumed < bytes.size() && state_->phase != State::Phase::kDone &&
         state_->phase != State::Phase::kError) {
    std::size_t taken = 0;
    state_->phase = state_->Advance(bytes.substr(consumed), taken);
    consumed += taken;
  }
  if (state_->phase == State::Phase::kError) return Step::kError;
  return state_->phase == State::Phase::kDone ? Step::kDone : Step::kNeedMore;
}

ResponseParser::Step ResponseParser::Finish() {
  state_->phase = state_->Abandon();
  return state_->phase == State::Phase::kDone ? Step::kDone : Step::kError;
}

int ResponseParser::status() const {
  return state_->FinalStatus();
}

const Response& ResponseParser::response() const {
  return state_->response;
}

std::string_view ResponseParser::error_detail() const {
  return state_->error_detail;
}

void ResponseParser::Reset() {
  state_->Reset();
}

}  // namespace weir::http
