// Status, fields and body -> bytes. Pure; appends to a string the connection owns. JSON escaping is done here
// once.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "engine/http/request.h"
#include "engine/http/request_parser.h"

namespace weir::http {

std::string_view ReasonPhrase(int status);  // RFC 9110 §15

struct ResponseHead {
  int status = 200;
  std::string_view content_type = "application/json";  // left out when the body is empty
  std::string_view request_id = {};                    // X-Request-Id
  bool close = false;
  bool http10 = false;              // answer a 1.0 request in its own version
  std::uint32_t retry_after_s = 0;  // 0 = leave out
  std::span<const Field> extra = {};
};

// Writes head and body with Content-Length. Interim 100 and HEAD are the caller's business.
void AppendResponse(std::string& out, const ResponseHead& head, std::string_view body);

// {"error":{"code":"…","message":"…"},"correlation_id":"…"}
std::string ErrorBody(std::string_view code, std::string_view message, std::string_view correlation_id);

struct ErrorAnswer {
  int status;
  std::string_view code;
  std::string_view message;
};
ErrorAnswer AnswerTo(ParseError error);

}  // namespace weir::http
