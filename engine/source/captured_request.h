// A request as somebody saved it, in a value of its own: what `weir explain` and the quarantine look at.
// Never on the serving path.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/http/parse_fault.h"
#include "engine/http/request.h"
#include "engine/source/signer.h"

namespace weir::source {

struct CapturedRequest {
  std::string method = "POST";
  std::string target = "/";
  HeaderList headers;
  std::string body;  // de-chunked
  // What in the capture does not fit together, such as a body shorter than its Content-Length.
  std::vector<std::string> notes = {};
  // Why the listener would not take it, whoever signed it.
  std::optional<http::ParseFault> fault = std::nullopt;
  bool cut_short = false;  // there is less of the body than its Content-Length says
};

// Raw HTTP/1.x, with CRLF or LF; the request line may be missing. Also what `curl -i` prints (the status line
// is passed over) and the "> " lines of `curl -v`. The error names the line. A Host that is missing is no fault of a
// capture: who writes one by hand leaves it out.
std::expected<CapturedRequest, std::string> ParseCapture(std::string_view bytes);

// "Name: value\r\n" each, as header blocks are kept.
HeaderList ParseHeaderBlock(std::string_view block);

// nullptr when there is none.
const std::string* FindHeader(const HeaderList& headers, std::string_view name);

// As the verifier takes it. The capture outlives the view.
class CapturedView {
 public:
  explicit CapturedView(const CapturedRequest& captured);
  CapturedView(const CapturedView&) = delete;
  CapturedView& operator=(const CapturedView&) = delete;
  const http::Request& request() const { return request_; }

 private:
  std::string body_;  // padded
  std::string header_block_;
  http::Request request_;
};

}  // namespace weir::source
