#include "engine/http/request_line.h"

#include <algorithm>
#include <cstddef>
#include <expected>
#include <string_view>

#include "engine/http/authority.h"
#include "engine/http/tokens.h"
#include "engine/limits.h"

namespace weir::http {

namespace {

using Result = std::expected<void, ParseFault>;

std::unexpected<ParseFault> Malformed(std::string_view detail) {
  return std::unexpected(ParseFault{.error = ParseError::kMalformed, .detail = detail});
}

// Case-sensitive (RFC 9110 §9.1): "post" is another method.
Method MethodOf(std::string_view text) {
  switch (text.size()) {
    case 3:
      if (text == "GET") return Method::kGet;
      if (text == "PUT") return Method::kPut;
      break;
    case 4:
      if (text == "POST") return Method::kPost;
      if (text == "HEAD") return Method::kHead;
      break;
    case 5:
      if (text == "PATCH") return Method::kPatch;
      break;
    case 6:
      if (text == "DELETE") return Method::kDelete;
      break;
    case 7:
      if (text == "OPTIONS") return Method::kOptions;
      break;
    default:
      break;
  }
  return Method::kOther;
}

Result ParseMethod(std::string_view text, Request& request) {
  if (!std::ranges::all_of(text, IsTokenChar)) return Malformed("the method is not a token");
  request.method_text = text;
  request.method = MethodOf(text);
  return {};
}

// The part of an absolute-form target after scheme and authority; empty when it is not http(s) or its
// authority is wrong.
std::expected<std::string_view, ParseFault> StripSchemeAndAuthority(std::string_view target) {
  std::size_t authority_begin = 0;
  if (EqualsIgnoreCase(target.substr(0, 7), "http://")) {
    authority_begin = 7;
  } else if (EqualsIgnoreCase(target.substr(0, 8), "https://")) {
    authority_begin = 8;
  } else {
    return Malformed("the request target is neither a path nor an http URL");
  }
  const std::size_t authority_end = std::min(target.find_first_of("/?", authority_begin), target.size());
  if (!ParseAuthority(target.substr(authority_begin, authority_end - authority_begin))) {
    return Malformed("the authority in the request target is not valid");
  }
  return target.substr(authority_end);
}

Result ParseTarget(std::string_view target, Request& request) {
  if (target.empty()) return Malformed("the request target is empty");
  if (target.size() > limits::kTargetBytesMax) {
    return std::unexpected(
        ParseFault{.error = ParseError::kTargetTooLong, .detail = "the request target is too long"});
  }
  for (const char byte : target) {
    // A fragment is never sent (RFC 9110 §4.2.5); who parses it differently from a proxy routes differently.
    if (!IsVisibleChar(byte) || byte == '#') return Malformed("a character that no request target may hold");
  }
  request.target = target;
  if (target == "*") {
    if (request.method != Method::kOptions) return Malformed("'*' is a target for OPTIONS only");
    request.path = target;
    return {};
  }
  std::string_view path_and_query = target;
  if (target.front() != '/') {
    const auto rest = StripSchemeAndAuthority(target);
    if (!rest) return std::unexpected(rest.error());
    path_and_query = *rest;
  }
  const std::size_t question_mark = path_and_query.find('?');
  request.path = path_and_query.substr(0, question_mark);
  if (request.path.empty()) {
    // RFC 9112 §3.2.4: what a proxy would have made of OPTIONS for a whole server.
    const bool whole_server = request.method == Method::kOptions && question_mark == std::string_view::npos;
    request.path = whole_server ? "*" : "/";
  }
  if (question_mark != std::string_view::npos) request.query = path_and_query.substr(question_mark + 1);
  return {};
}

Result ParseVersion(std::string_view text, Request& request) {
  const bool well_formed =
      text.size() == 8 && text.starts_with("HTTP/") && IsDigit(text[5]) && text[6] == '.' && IsDigit(text[7]);
  if (!well_formed) return Malformed("the request line does not end in an HTTP version");
  if (text[5] != '1') {
    return std::unexpected(ParseFault{.error = ParseError::kVersionNotSupported, .detail = "not HTTP/1.x"});
  }
  // A later minor version is spoken to as the latest that is known (RFC 9110 §2.5).
  request.minor_version = text[7] == '0' ? 0 : 1;
  return {};
}

}  // namespace

Result ParseRequestLine(std::string_view line, Request& request) {
  const std::size_t target_begin = line.find(' ') + 1;
  if (target_begin == 0) return Malformed("the request line has no target");
  const std::size_t target_end = line.find(' ', target_begin);
  if (target_end == std::string_view::npos) return Malformed("the request line has no version (HTTP/0.9)");
  if (Result step = ParseMethod(line.substr(0, target_begin - 1), request); !step) return step;
  // The version first: what stands before it is only known to be a target in a protocol that is spoken here.
  if (Result step = ParseVersion(line.substr(target_end + 1), request); !step) return step;
  return ParseTarget(line.substr(target_begin, target_end - target_begin), request);
}

}  // namespace weir::http
