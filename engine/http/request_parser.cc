#include "engine/http/request_parser.h"

#include <llhttp.h>

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

#include "engine/http/authority.h"
#include "engine/http/chunked_body.h"
#include "engine/http/head_scanner.h"
#include "engine/http/parse_fault.h"
#include "engine/http/request_line.h"
#include "storage/check.h"

static_assert(LLHTTP_STRICT_MODE == 1, "loose mode ends a message at a lone CR (CVE-2023-30589)");

namespace weir::http {

struct RequestParser::State {
  explicit State(Limits the_limits);

  Step ParseHead(std::string_view bytes);
  bool RunGrammar(std::string_view bytes);
  bool ApplyFields();
  bool ApplyField(const Field& field);
  bool CheckFraming();
  bool Fail(ParseError error, std::string_view detail);
  void Reset();

  Limits limits;
  HeadScanner scanner;
  ChunkedBody chunks;
  llhttp_t grammar{};
  Request request;
  std::size_t hosts = 0;
  bool transfer_encoding = false;
  std::optional<ParseFault> fault;
};

namespace {

using Step = RequestParser::Step;

std::string_view TrimWhitespace(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

Request& RequestOf(llhttp_t* grammar) {
  return *static_cast<Request*>(grammar->data);
}

// The scanner has counted the lines, so field_storage has room. Head bytes reach llhttp in one piece: a span
// comes whole.
int OnFieldName(llhttp_t* grammar, const char* at, std::size_t length) {
  Request& request = RequestOf(grammar);
  request.field_storage[request.field_count++] = {.name = {at, length}, .value = {at + length, 0}};
  return HPE_OK;
}

int OnFieldValue(llhttp_t* grammar, const char* at, std::size_t length) {
  Request& request = RequestOf(grammar);
  request.field_storage[request.field_count - 1].value = TrimWhitespace({at, length});
  return HPE_OK;
}

// Pausing here means that success has exactly one return code, and that nothing llhttp would do next (a body,
// an upgrade, the following request) can be mistaken for it.
int OnHeadersComplete(llhttp_t* /*grammar*/) {
  return HPE_PAUSED;
}

const llhttp_settings_t* GrammarSettings() {
  static const llhttp_settings_t settings = [] {
    llhttp_settings_t made;
    llhttp_settings_init(&made);
    made.on_header_field = OnFieldName;
    made.on_header_value = OnFieldValue;
    made.on_headers_complete = OnHeadersComplete;
    return made;
  }();
  return &settings;
}

ParseFault FaultOf(llhttp_errno_t code, const Request& request) {
  switch (code) {
    case HPE_UNEXPECTED_CONTENT_LENGTH:
      if (FindField(request, "transfer-encoding")) {
        return {.error = ParseError::kBadTransferEncoding,
                .detail = "both Transfer-Encoding and Content-Length"};
      }
      return {.error = ParseError::kBadContentLength, .detail = "more than one Content-Length field"};
    case HPE_INVALID_CONTENT_LENGTH:
      return {.error = ParseError::kBadContentLength, .detail = "Content-Length is not one valid number"};
    case HPE_INVALID_TRANSFER_ENCODING:
      return {.error = ParseError::kBadTransferEncoding,
              .detail = "Transfer-Encoding is not exactly 'chunked'"};
    case HPE_INVALID_HEADER_TOKEN:
      return {.error = ParseError::kMalformed, .detail = "a character that no header field may hold"};
    default:
      return {.error = ParseError::kMalformed, .detail = "the header block is not well formed"};
  }
}

}  // namespace

RequestParser::State::State(Limits the_limits) : limits(the_limits), scanner(the_limits.head_bytes) {
  llhttp_init(&grammar, HTTP_REQUEST, GrammarSettings());
  grammar.data = &request;
}

bool RequestParser::State::Fail(ParseError error, std::string_view detail) {
  fault = ParseFault{.error = error, .detail = detail};
  return false;
}

// llhttp over a complete head. It knows methods that are no business of a server of webhooks and gives some
// of them (PRI, CONNECT, SOURCE, RTSP's) another grammar, so it is shown POST in place of every method that
// is not one of ours.
bool RequestParser::State::RunGrammar(std::string_view bytes) {
  std::size_t begin = scanner.request_line_begin();
  if (request.method == Method::kOther) {
    constexpr std::string_view kStandIn = "POST";
    llhttp_execute(&grammar, kStandIn.data(), kStandIn.size());
    begin += request.method_text.size();
  }
  const llhttp_errno_t code = llhttp_execute(&grammar, bytes.data() + begin, scanner.head_end() - begin);
  if (code != HPE_PAUSED) {
    fault = FaultOf(code, request);
    return false;
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
      if (!EqualsIgnoreCase(field.name, "expect")) return true;
      if (!EqualsIgnoreCase(field.value, "100-continue")) {
        return Fail(ParseError::kExpectationFailed, "an expectation other than 100-continue");
      }
      request.expect_continue = request.minor_version == 1;  // RFC 9110 §10.1.1: ignored in HTTP/1.0
      return true;
    case 14: {
      if (!EqualsIgnoreCase(field.name, "content-length")) return true;
      if (request.content_length)
        return Fail(ParseError::kBadContentLength, "more than one Content-Length field");
      std::uint64_t length = 0;
      const char* end = field.value.data() + field.value.size();
      const auto [parsed_to, error] = std::from_chars(field.value.data(), end, length);
      if (error != std::errc{} || parsed_to != end) {
        return Fail(ParseError::kBadContentLength, "Content-Length is not one valid number");
      }
      request.content_length = length;
      return true;
    }
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
  const bool close = (grammar.flags & F_CONNECTION_CLOSE) != 0;
  const bool keep_alive = (grammar.flags & F_CONNECTION_KEEP_ALIVE) != 0;
  request.keep_alive = !close && (keep_alive || request.minor_version == 1);
  return true;
}

bool RequestParser::State::ApplyFields() {
  for (const Field& field : request.fields()) {
    if (!ApplyField(field)) return false;
  }
  return CheckFraming();
}

RequestParser::Step RequestParser::State::ParseHead(std::string_view bytes) {
  if (fault) return Step::kError;
  for (;;) {
    switch (scanner.Scan(bytes)) {
      case HeadScanner::Step::kNeedMore:
        return Step::kNeedMore;
      case HeadScanner::Step::kFault:
        fault = scanner.fault();
        return Step::kError;
      case HeadScanner::Step::kRequestLine: {
        const std::size_t begin = scanner.request_line_begin();
        const auto line = bytes.substr(begin, scanner.request_line_end() - begin);
        if (const auto result = ParseRequestLine(line, request); !result) {
          fault = result.error();
          return Step::kError;
        }
        break;
      }
      case HeadScanner::Step::kHeadEnd:
        request.header_block =
            bytes.substr(scanner.fields_begin(), scanner.fields_end() - scanner.fields_begin());
        return RunGrammar(bytes) && ApplyFields() ? Step::kDone : Step::kError;
    }
  }
}

// Field by field: assigning a fresh Request would clear field_storage, several KiB that nobody reads.
void RequestParser::State::Reset() {
  scanner.Reset();
  chunks = ChunkedBody();
  llhttp_reset(&grammar);
  request.method = Method::kOther;
  request.method_text = request.target = request.path = request.query = {};
  request.minor_version = 1;
  request.keep_alive = true;
  request.expect_continue = request.chunked = false;
  request.content_length.reset();
  request.header_block = request.body = {};
  request.field_count = 0;
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
  // A path of "/" that no byte of the target spells, and a body de-chunked elsewhere, are not in the buffer.
  const std::size_t message_bytes = head_bytes() + request.content_length.value_or(0);
  auto move = [from, to, message_bytes](std::string_view& view) {
    const auto offset =
        reinterpret_cast<std::uintptr_t>(view.data()) - reinterpret_cast<std::uintptr_t>(from);
    if (view.data() != nullptr && offset <= message_bytes) view = {to + offset, view.size()};
  };
  for (std::string_view* view : {&request.method_text, &request.target, &request.path, &request.query,
                                 &request.header_block, &request.body}) {
    move(*view);
  }
  for (std::size_t i = 0; i < request.field_count; ++i) {
    move(request.field_storage[i].name);
    move(request.field_storage[i].value);
  }
}

Request& RequestParser::request() {
  return state_->request;
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
