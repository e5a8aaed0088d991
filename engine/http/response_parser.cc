#include "engine/http/response_parser.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "engine/http/chunked_body.h"
#include "engine/http/head_grammar.h"
#include "engine/http/head_scanner.h"
#include "engine/http/request.h"
#include "engine/http/tokens.h"
#include "engine/limits.h"

namespace weir::http {

struct ResponseParser::State {
  enum class Phase : std::uint8_t { kHead, kSizedBody, kChunkedBody, kBodyUntilClose, kDone, kError };

  explicit State(std::size_t the_body_kept_bytes_max) : body_kept_bytes_max(the_body_kept_bytes_max) {}

  Phase Advance(std::string_view bytes, std::size_t& consumed);
  Phase ReadHead(std::string_view bytes, std::size_t& consumed);
  Phase ReadSizedBody(std::string_view bytes, std::size_t& consumed, Phase when_incomplete);
  Phase ReadChunkedBody(std::string_view bytes, std::size_t& consumed);
  Phase ApplyHead(std::string_view head);
  Phase ApplyFields(std::span<const Field> fields);
  Phase Fail(std::string_view why);
  void Keep(std::string_view body);
  void Reset();

  const std::size_t body_kept_bytes_max;
  Phase phase = Phase::kHead;
  std::string head_so_far;  // used only when a head arrives in pieces
  HeadScanner scanner{limits::kResponseHeadBytesMax};
  HeadGrammar grammar{HeadGrammar::Kind::kResponse};
  // Scratch of ApplyHead; a member so that it is not cleared for each answer.
  std::array<Field, limits::kHeaderFieldsMax> field_storage;
  ChunkedBody chunks;
  std::string decoded;
  std::uint64_t body_bytes_left = 0;
  bool body_cut_short = false;
  std::size_t interim_count = 0;
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

// RFC 9112 §6.3. Where it lets a client repair an answer (Transfer-Encoding beside Content-Length, codings it
// did not ask for), this one does not: the connection's framing is in doubt and a retry is cheap.
ResponseParser::State::Phase ResponseParser::State::ApplyFields(std::span<const Field> fields) {
  std::optional<std::uint64_t> content_length;
  bool chunked = false;
  for (const Field& field : fields) {
    if (EqualsIgnoreCase(field.name, "content-length")) {
      content_length = ParseDecimal(field.value);
      if (!content_length) return Fail("the answer's Content-Length is not a number");
    } else if (EqualsIgnoreCase(field.name, "transfer-encoding")) {
      if (chunked || !EqualsIgnoreCase(field.value, "chunked")) {
        return Fail("the answer's Transfer-Encoding is not 'chunked'");
      }
      chunked = true;
    } else if (EqualsIgnoreCase(field.name, "retry-after") && !response.retry_after) {
      response.retry_after = field.value;
    }
  }
  if (chunked && content_length) return Fail("the answer has both Transfer-Encoding and Content-Length");
  if (response.status == 204 || response.status == 304) return Phase::kDone;
  if (chunked) return Phase::kChunkedBody;
  if (!content_length) {
    response.keep_alive = false;
    body_bytes_left = limits::kResponseBodyBytesMax;
    return Phase::kBodyUntilClose;
  }
  body_cut_short = *content_length > limits::kResponseBodyBytesMax;
  body_bytes_left = std::min<std::uint64_t>(*content_length, limits::kResponseBodyBytesMax);
  return body_bytes_left == 0 ? Phase::kDone : Phase::kSizedBody;
}

ResponseParser::State::Phase ResponseParser::State::ApplyHead(std::string_view head) {
  std::size_t field_count = 0;
  if (grammar.Check({}, head, field_storage, field_count) != HeadGrammar::Verdict::kValid) {
    return Fail("the answer is not valid HTTP");
  }
  if (grammar.major_version() != 1 || grammar.minor_version() > 1) {
    return Fail("the answer is neither HTTP/1.1 nor HTTP/1.0");
  }
  if (grammar.status() < 100 || grammar.status() == 101)
    return Fail("an answer that no request of ours can get");
  if (grammar.status() < 200) {
    if (++interim_count > limits::kInterimResponsesMax) return Fail("too many interim answers");
    return Phase::kHead;
  }
  response.status = grammar.status();
  response.keep_alive = grammar.KeepsConnection();
  return ApplyFields(std::span(field_storage).first(field_count));
}

ResponseParser::State::Phase ResponseParser::State::ReadHead(std::string_view bytes, std::size_t& consumed) {
  const std::size_t before = head_so_far.size();
  // One byte past the limit is enough for the scanner to refuse the head.
  if (before != 0) head_so_far.append(bytes.substr(0, limits::kResponseHeadBytesMax + 3 - before));
  const std::string_view head = before == 0 ? bytes : std::string_view(head_so_far);
  HeadScanner::Step step = scanner.Scan(head);
  if (step == HeadScanner::Step::kRequestLine) step = scanner.Scan(head);
  switch (step) {
    case HeadScanner::Step::kNeedMore:
      if (before == 0) head_so_far.assign(bytes);
      consumed = bytes.size();
      return Phase::kHead;
    case HeadScanner::Step::kFault:
    case HeadScanner::Step::kRequestLine:
      return Fail("the answer's head is not well formed or too large");
    case HeadScanner::Step::kHeadEnd:
      break;
  }
  consumed = scanner.head_end() - before;
  const std::size_t begin = scanner.request_line_begin();
  const Phase next = ApplyHead(head.substr(begin, scanner.head_end() - begin));
  scanner.Reset();
  head_so_far.clear();
  return next;
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
      if (chunks.fault().error != ParseError::kBodyTooLarge)
        return Fail("the answer's chunked body is not well formed");
      response.keep_alive = false;
      return Phase::kDone;
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
  head_so_far.clear();
  scanner.Reset();
  chunks = ChunkedBody();
  body_bytes_left = 0;
  body_cut_short = false;
  interim_count = 0;
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
  if (state_->phase == State::Phase::kBodyUntilClose) state_->phase = State::Phase::kDone;
  if (state_->phase == State::Phase::kDone) return Step::kDone;
  if (state_->phase != State::Phase::kError) {
    state_->phase = state_->Fail("the connection was closed before the answer was complete");
  }
  return Step::kError;
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
