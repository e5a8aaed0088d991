#include "engine/http/response_writer.h"

#include <charconv>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "engine/http/tokens.h"
#include "engine/text/json_string.h"

namespace weir::http {

namespace {

void AppendDecimal(std::string& out, std::unsigned_integral auto value) {
  char digits[20];
  const auto [end, fault] = std::to_chars(digits, digits + sizeof digits, value);
  out.append(digits, end);
}

// A value can hold what a sender wrote (a request id, a path); no byte of it may end the line (RFC 9110
// §5.5).
void AppendFieldValue(std::string& out, std::string_view value) {
  for (const char byte : value) out.push_back(IsValueChar(byte) ? byte : ' ');
}

void AppendField(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(": ");
  AppendFieldValue(out, value);
  out.append("\r\n");
}

bool HasNoBody(int status) {
  return status < 200 || status == 204 || status == 304;
}

}  // namespace

std::string_view ReasonPhrase(int status) {
  switch (status) {
    case 100:
      return "Continue";
    case 101:
      return "Switching Protocols";
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 203:
      return "Non-Authoritative Information";
    case 204:
      return "No Content";
    case 205:
      return "Reset Content";
    case 206:
      return "Partial Content";
    case 300:
      return "Multiple Choices";
    case 301:
      return "Moved Permanently";
    case 302:
      return "Found";
    case 303:
      return "See Other";
    case 304:
      return "Not Modified";
    case 305:
      return "Use Proxy";
    case 307:
      return "Temporary Redirect";
    case 308:
      return "Permanent Redirect";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 402:
      return "Payment Required";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 406:
      return "Not Acceptable";
    case 407:
      return "Proxy Authentication Required";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 410:
      return "Gone";
    case 411:
      return "Length Required";
    case 412:
      return "Precondition Failed";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 415:
      return "Unsupported Media Type";
    case 416:
      return "Range Not Satisfiable";
    case 417:
      return "Expectation Failed";
    case 421:
      return "Misdirected Request";
    case 422:
      return "Unprocessable Content";
    case 426:
      return "Upgrade Required";
    case 428:  // RFC 6585 from here, 426 aside
      return "Precondition Required";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 502:
      return "Bad Gateway";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    case 505:
      return "HTTP Version Not Supported";
    case 507:  // RFC 4918
      return "Insufficient Storage";
    default:
      return "Unknown";
  }
}

void AppendResponse(std::string& out, const ResponseHead& head, std::string_view body) {
  out.append(head.http10 ? "HTTP/1.0 " : "HTTP/1.1 ");
  AppendDecimal(out, static_cast<unsigned>(head.status));
  out.append(" ").append(ReasonPhrase(head.status)).append("\r\n");
  if (!HasNoBody(head.status)) {
    if (!body.empty() && !head.content_type.empty()) AppendField(out, "Content-Type", head.content_type);
    out.append("Content-Length: ");
    AppendDecimal(out, body.size());
    out.append("\r\n");
  }
  if (!head.request_id.empty()) AppendField(out, "X-Request-Id", head.request_id);
  if (head.retry_after_s != 0) {
    out.append("Retry-After: ");
    AppendDecimal(out, head.retry_after_s);
    out.append("\r\n");
  }
  for (const Field& field : head.extra) AppendField(out, field.name, field.value);
  if (head.close) {
    out.append("Connection: close\r\n");
  } else if (head.http10) {
    out.append("Connection: keep-alive\r\n");
  }
  out.append("\r\n");
  if (!HasNoBody(head.status)) out.append(body);
}

std::string ErrorBody(std::string_view code, std::string_view message, std::string_view correlation_id) {
  std::string body = R"({"error":{"code":")";
  text::AppendJsonEscaped(body, code);
  body += R"(","message":")";
  text::AppendJsonEscaped(body, message);
  body += R"("},"correlation_id":")";
  text::AppendJsonEscaped(body, correlation_id);
  body += R"("})";
  return body;
}

ErrorAnswer AnswerTo(ParseError error) {
  switch (error) {
    case ParseError::kMalformed:
      return {400, "malformed_request", "the request is not valid HTTP/1.1"};
    case ParseError::kHeadTooLarge:
      return {431, "headers_too_large", "the header block is too large"};
    case ParseError::kTargetTooLong:
      return {414, "target_too_long", "the request target is too long"};
    case ParseError::kTooManyFields:
      return {431, "too_many_headers", "the request has too many header fields"};
    case ParseError::kVersionNotSupported:
      return {505, "version_not_supported", "only HTTP/1.x is served"};
    case ParseError::kMissingHost:
      return {400, "invalid_host", "the request needs exactly one valid Host field"};
    case ParseError::kBadContentLength:
      return {400, "bad_content_length", "Content-Length is not one valid number"};
    case ParseError::kBadTransferEncoding:
      return {400, "bad_transfer_encoding",
              "the only transfer coding is 'chunked', in HTTP/1.1, without Content-Length"};
    case ParseError::kExpectationFailed:
      return {417, "expectation_failed", "the only expectation that can be met is 100-continue"};
    case ParseError::kBadChunk:
      return {400, "bad_chunk", "the chunked body is not well formed"};
    case ParseError::kTooMuchFraming:
      return {
          413, "too_much_chunk_framing",
          "the chunks are too small: their framing is past the limit of 256 KiB and the size of the body"};
    case ParseError::kChunkExtensionTooLarge:
      return {400, "chunk_extension_too_large", "chunk extensions are too large"};
    case ParseError::kBodyTooLarge:
      return {413, "body_too_large", "the body is too large"};
  }
  return {400, "malformed_request", "the request is not valid HTTP/1.1"};
}

}  // namespace weir::http
