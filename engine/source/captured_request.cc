#include "engine/source/captured_request.h"

#include <algorithm>
#include <optional>

#include "engine/http/chunked_body.h"
#include "engine/http/request_parser.h"
#include "engine/http/tokens.h"
#include "engine/limits.h"

namespace weir::source {
namespace {

constexpr std::string_view kSentMark = ">";  // curl -v marks what it sent

// The next line without its end, taken from `rest`; nullopt when nothing is left.
std::optional<std::string_view> TakeLine(std::string_view& rest) {
  if (rest.empty()) return std::nullopt;
  const std::size_t end = std::min(rest.find('\n'), rest.size());
  std::string_view line = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

// "POST /webhooks/x HTTP/1.1"
bool ReadRequestLine(std::string_view line, CapturedRequest& captured) {
  const std::size_t first = line.find(' ');
  const std::size_t last = line.rfind(' ');
  if (first == std::string_view::npos || first == last || !line.substr(last + 1).starts_with("HTTP/")) {
    return false;
  }
  captured.method = line.substr(0, first);
  captured.target = line.substr(first + 1, last - first - 1);
  return true;
}

// What curl says of a request that goes to a TLS front in HTTP/2 or 3; in front of weir it is HTTP/1.1 again.
std::string AsHttp1(std::string_view line) {
  for (const std::string_view version : {" HTTP/2", " HTTP/2.0", " HTTP/3"}) {
    if (line.ends_with(version))
      return std::string(line.substr(0, line.size() - version.size())) + " HTTP/1.1";
  }
  return std::string(line);
}

bool ReadField(std::string_view line, HeaderList& headers) {
  const std::size_t colon = line.find(':');
  if (colon == 0 || colon == std::string_view::npos) return false;
  const std::string_view name = line.substr(0, colon);
  if (!std::ranges::all_of(name, http::IsTokenChar)) return false;
  headers.emplace_back(name, http::TrimWhitespace(line.substr(colon + 1)));
  return true;
}

void Dechunk(CapturedRequest& captured) {
  const std::string* coding = FindHeader(captured.headers, "transfer-encoding");
  if (coding == nullptr || !http::EqualsIgnoreCase(*coding, "chunked")) return;
  http::ChunkedBody chunks;
  std::string decoded;
  std::size_t consumed = 0;
  if (chunks.Decode(captured.body, decoded, limits::kBodyBytesCeiling, consumed) ==
      http::ChunkedBody::Step::kDone) {
    captured.body = std::move(decoded);
    return;
  }
  captured.notes.emplace_back(
      "Transfer-Encoding is chunked and the body is not in chunks: it is taken as it stands");
}

void ApplyLength(CapturedRequest& captured) {
  const std::string* text = FindHeader(captured.headers, "content-length");
  if (text == nullptr) return;
  const auto length = http::ParseDecimal(*text);
  if (!length) return;
  const std::string counts = "Content-Length is " + *text + " and the capture has " +
                             std::to_string(captured.body.size()) + " bytes of body";
  if (captured.body.size() > *length) {
    captured.notes.push_back(counts + ": the first " + *text + " are taken");
    captured.body.resize(*length);
  } else if (captured.body.size() < *length) {
    captured.notes.push_back(counts + ": it is cut short or was changed when it was saved");
    captured.cut_short = true;
  }
}

std::optional<http::ParseFault> FaultOf(std::string head, const CapturedRequest& captured) {
  if (FindHeader(captured.headers, "host") == nullptr) head.insert(head.find('\n') + 1, "Host: captured\r\n");
  http::RequestParser parser({.head_bytes = limits::kHeadBytesCeiling});
  if (parser.ParseHead(head) != http::RequestParser::Step::kError) return std::nullopt;
  return http::ParseFault{.error = parser.error(), .detail = parser.error_detail()};
}

http::Method MethodOf(std::string_view text) {
  for (int i = 0; i < static_cast<int>(http::Method::kOther); ++i) {
    const auto method = static_cast<http::Method>(i);
    if (http::MethodName(method) == text) return method;
  }
  return http::Method::kOther;
}

}  // namespace

std::expected<CapturedRequest, std::string> ParseCapture(std::string_view bytes) {
  CapturedRequest captured;
  // What curl -v says before it sends: "* Connected to …".
  while (bytes.starts_with("* ")) TakeLine(bytes);
  const bool marked = bytes.starts_with(kSentMark);
  bool ended = false;
  std::string head;  // with CRLF, as the listener would have read it
  for (std::size_t number = 1; !ended; ++number) {
    const auto taken = TakeLine(bytes);
    if (!taken) break;
    std::string_view line = *taken;
    if (marked && line.starts_with(kSentMark)) line = http::TrimWhitespace(line.substr(kSentMark.size()));
    if (line.empty()) {
      ended = true;
    } else if (number == 1 && line.starts_with("HTTP/")) {
      continue;
    } else if (number != 1 || !ReadRequestLine(line, captured)) {
      if (!ReadField(line, captured.headers)) {
        return std::unexpected("line " + std::to_string(number) +
                               " is neither a request line nor a header field");
      }
      if (captured.headers.size() > limits::kHeaderFieldsMax) {
        return std::unexpected("has more than " + std::to_string(limits::kHeaderFieldsMax) +
                               " header fields");
      }
      if (head.empty()) head = "POST / HTTP/1.1\r\n";
    }
    head.append(AsHttp1(line)).append("\r\n");
  }
  if (captured.headers.empty()) return std::unexpected("has no header fields");
  if (!ended) {
    captured.notes.emplace_back("no empty line follows the header fields: the body is empty");
    head += "\r\n";
  }
  captured.fault = FaultOf(std::move(head), captured);
  captured.body = bytes;
  Dechunk(captured);
  ApplyLength(captured);
  return captured;
}

HeaderList ParseHeaderBlock(std::string_view block) {
  HeaderList headers;
  while (const auto line = TakeLine(block)) ReadField(*line, headers);
  return headers;
}

const std::string* FindHeader(const HeaderList& headers, std::string_view name) {
  const auto found = std::ranges::find_if(
      headers, [name](const auto& field) { return http::EqualsIgnoreCase(field.first, name); });
  return found == headers.end() ? nullptr : &found->second;
}

CapturedView::CapturedView(const CapturedRequest& captured)
    : body_(captured.body + std::string(limits::kJsonPaddingBytes, '\0')) {
  request_.method = MethodOf(captured.method);
  request_.method_text = captured.method;
  request_.target = captured.target;
  std::string_view target = captured.target;
  if (const std::size_t scheme = target.find("://");
      scheme != std::string_view::npos && target.front() != '/') {
    const std::size_t path = target.find_first_of("/?", scheme + 3);
    target = path == std::string_view::npos ? std::string_view("/") : target.substr(path);
  }
  const std::size_t mark = target.find('?');
  request_.path = target.substr(0, mark);
  if (request_.path.empty()) request_.path = "/";
  if (mark != std::string_view::npos) request_.query = target.substr(mark + 1);
  for (const auto& [name, value] : captured.headers) {
    header_block_.append(name).append(": ").append(value).append("\r\n");
    if (request_.field_count == limits::kHeaderFieldsMax) continue;
    request_.field_storage[request_.field_count++] = {.name = name, .value = value};
  }
  request_.header_block = header_block_;
  request_.body = std::string_view(body_).substr(0, captured.body.size());
  request_.content_length = captured.body.size();
}

}  // namespace weir::source
