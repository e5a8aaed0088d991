#include "engine/http/request_parser.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>

#include "engine/http/authority.h"
#include "engine/http/chunked_body.h"
#include "engine/http/field_block.h"
#include "engine/http/field_list.h"
#include "engine/http/head_scanner.h"
#include "engine/http/parse_fault.h"
#include "engine/http/request_line.h"
#include "engine/http/tokens.h"
#include "storage/check.h"

namespace weir::http {

struct RequestParser::State {
  explicit State(Limits limits) : scanner(limits.head_bytes) {}

  Step ParseHead(std::string_view bytes);
  bool ReadRequestLine(std::string_view bytes);
  bool FinishHead(std::string_view bytes);
  bool ApplyFields();
  bool ApplyField(const Field& field);
  bool ApplyExpect(std::string_view value);
  bool CheckFraming();
  bool Fail(ParseError error, std::string_view detail);
  void Reset();

  HeadScanner scanner;
  ChunkedBody chunks;
  Request request;
  const char* request_line_at = nullptr;
  ConnectionOptions connection;
  std::size_t hosts = 0;
  bool transfer_encoding = false;
  std::optional<ParseFault> fault;
};

namespace {

using Step = RequestParser::Step;

}  // namespace

bool RequestParser::State::Fail(ParseError error, std::string_view detail) {
  fault = ParseFault{.error = error, .detail = detail};
  return false;
}

// RFC 9110 §10.1.1: a list, in which only 100-continue can be met. In HTTP/1.0 that one is ignored.
bool RequestParser::State::ApplyExpect(std::string_view value) {
  while (const auto expectation = TakeMember(value)) {
    if (!EqualsIgnoreCase(*expectation, "100-continue")) {
      return Fail(ParseError::kExpectationFailed, "an expectation other than 100-continue");
    }
    request.expect_continue = request.minor_version == 1;
  }
  return true;
}

bool RequestParser::State::ApplyField(const Field& field) {
  switch (field.name.size()) {
    case 4:
      if (!EqualsIgnoreCase(field.name, "host")) return true;
      if (++hosts > 1) return Fail(ParseError::kMissingHost, "more than one Host field");
      if (!ParseAuthority(field.value)) return Fail(ParseError::kMissingHost, "the Host field is not valid");
      return true;
    case 6:
      return !EqualsIgnoreCase(field.name, "expect") || ApplyExpect(field.value);
    case 10:
      if (EqualsIgnoreCase(field.name, "connection")) connection.Add(field.value);
      return true;
    case 14:
      if (!EqualsIgnoreCase(field.name, "content-length")) return true;
      if (request.content_length)
        return Fail(ParseError::kBadContentLength, "more than one Content-Length field");
      request.content_length = ParseDecimal(field.value);
      if (!request.content_length) {
        return Fail(ParseError::kBadContentLength, "Content-Length is not one valid number");
      }
      return true;
    case 17:
      if (!EqualsIgnoreCase(field.name, "transfer-encoding")) return true;
      if (transfer_encoding || !EqualsIgnoreCase(field.value, "chunked")) {
        return Fail(ParseError::kBadTransferEncoding, "Transfer-Encoding is not exactly 'chunked'");
      }
      transfer_encoding = true;
      request.chunked = true;
      return true;
    default:
      return true;
  }
}

bool RequestParser::State::CheckFraming() {
  if (transfer_encoding && request.content_length) {
    return Fail(ParseError::kBadTransferEncoding, "both Transfer-Encoding and Content-Length");
  }
  if (transfer_encoding && request.minor_version == 0) {
    return Fail(ParseError::kBadTransferEncoding, "Transfer-Encoding in HTTP/1.0");
  }
  if (hosts == 0 && request.minor_version == 1) return Fail(ParseError::kMissingHost, "no Host field");
  request.keep_alive = connection.Persists(request.minor_version);
  return true;
}

bool RequestParser::State::ApplyFields() {
  const auto count = ParseFieldBlock(request.header_block, request.field_storage);
  if (!count) {
    fault = count.error();
    return false;
  }
  request.field_count = *count;
  for (const Field& field : request.fields()) {
    if (!ApplyField(field)) return false;
  }
  return CheckFraming();
}

bool RequestParser::State::ReadRequestLine(std::string_view bytes) {
  const std::size_t begin = scanner.request_line_begin();
  const auto line = bytes.substr(begin, scanner.request_line_end() - begin);
  request_line_at = line.data();
  const auto result = ParseRequestLine(line, request);
  if (!result) fault = result.error();
  return result.has_value();
}

bool RequestParser::State::FinishHead(std::string_view bytes) {
  // The caller's buffer may have moved as it grew; views made from an earlier call would point into the old
  // one.
  if (request_line_at != &bytes[scanner.request_line_begin()] && !ReadRequestLine(bytes)) return false;
  request.header_block = bytes.substr(scanner.fields_begin(), scanner.fields_end() - scanner.fields_begin());
  return ApplyFields();
}

RequestParser::Step RequestParser::State::ParseHead(std::string_view bytes) {
  while (!fault) {
    switch (scanner.Scan(bytes)) {
      case HeadScanner::Step::kNeedMore:
        return Step::kNeedMore;
      case HeadScanner::Step::kFault:
        fault = scanner.fault();
        break;
      case HeadScanner::Step::kRequestLine:
        ReadRequestLine(bytes);
        break;
      case HeadScanner::Step::kHeadEnd:
        return FinishHead(bytes) ? Step::kDone : Step::kError;
    }
  }
  return Step::kError;
}

// Field by field: assigning a fresh Request would clear field_storage, several KiB that nobody reads.
void RequestParser::State::Reset() {
  scanner.Reset();
  chunks = ChunkedBody();
  request.method = Method::kOther;
  request.method_text = request.target = request.path = request.query = {};
  request.minor_version = 1;
  request.keep_alive = true;
  request.expect_continue = request.chunked = false;
  request.content_length.reset();
  request.header_block = request.body = {};
  request.field_count = 0;
  connection = {};
  hosts = 0;
  transfer_encoding = false;
  fault.reset();
}

RequestParser::RequestParser(Limits limits) : state_(std::make_unique<State>(limits)) {}
RequestParser::~RequestParser() = default;
RequestParser::RequestParser(RequestParser&&) noexcept = default;
RequestParser& RequestParser::operator=(RequestParser&&) noexcept = default;

RequestParser::Step RequestParser::ParseHead(std::string_view bytes) {
  return state_->ParseHead(bytes);
}

std::size_t RequestParser::head_bytes() const {
  return state_->scanner.head_end();
}

RequestParser::Step RequestParser::DecodeChunked(std::string_view bytes, std::string& decoded,
                                                 std::size_t body_limit, std::size_t& consumed) {
  switch (state_->chunks.Decode(bytes, decoded, body_limit, consumed)) {
    case ChunkedBody::Step::kNeedMore:
      return Step::kNeedMore;
    case ChunkedBody::Step::kDone:
      return Step::kDone;
    case ChunkedBody::Step::kFault:
      state_->fault = state_->chunks.fault();
      return Step::kError;
  }
  return Step::kError;
}

void RequestParser::Rebase(const char* from, const char* to) {
  Request& request = state_->request;
  const std::size_t head = head_bytes();
  // What is outside stays: a path of "/" that no byte of the target spells, a body that was de-chunked
  // elsewhere.
  auto move = [from, to, head](std::string_view& view) {
    const auto offset =
        reinterpret_cast<std::uintptr_t>(view.data()) - reinterpret_cast<std::uintptr_t>(from);
    if (offset < head) view = {to + offset, view.size()};
  };
  for (std::string_view* view :
       {&request.method_text, &request.target, &request.path, &request.query, &request.header_block}) {
    move(*view);
  }
  for (Field& field : std::span(request.field_storage).first(request.field_count)) {
    move(field.name);
    move(field.value);
  }
  if (request.body.data() == from + head) request.body = {to + head, request.body.size()};
}

Request& RequestParser::request() {
  return state_->request;
}

const Request& RequestParser::RequestSoFar(std::string_view bytes) {
  Request& request = state_->request;
  request.method = Method::kOther;
  request.method_text = request.target = request.path = request.query = {};
  const HeadScanner& scanner = state_->scanner;
  if (scanner.request_line_end() == 0) return request;
  const std::size_t begin = scanner.request_line_begin();
  // Half of it may be known: a path without a version that is spoken here.
  std::ignore = ParseRequestLine(bytes.substr(begin, scanner.request_line_end() - begin), request);
  return request;
}

ParseError RequestParser::error() const {
  WEIR_CHECK(state_->fault.has_value());
  return state_->fault->error;
}

std::string_view RequestParser::error_detail() const {
  return state_->fault ? state_->fault->detail : std::string_view();
}

void RequestParser::Reset() {
  state_->Reset();
}

}  // namespace weir::http
