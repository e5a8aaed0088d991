// A server's answer -> status, fields of interest, framing. Pure and resumable. Used by the http sink and by
// weir-bench.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace weir::http {

struct Response {
  int status = 0;
  bool keep_alive = true;
  std::optional<std::string> retry_after;  // as sent: seconds or an HTTP-date (RFC 9110 §10.2.3)
  std::string body_start;                  // at most the cap given to the parser
};

class ResponseParser {
 public:
  enum class Step : std::uint8_t { kNeedMore, kDone, kError };
  explicit ResponseParser(std::size_t body_kept_bytes_max);
  ~ResponseParser();
  ResponseParser(ResponseParser&&) noexcept;
  ResponseParser& operator=(ResponseParser&&) noexcept;

  // Consumes from `bytes`; on kDone `consumed` may be less than bytes.size() (pipelined answers).
  Step Feed(std::string_view bytes, std::size_t& consumed);
  Step Finish();  // the peer closed: completes an answer without a length, or is an error
  const Response& response() const;
  std::string_view error_detail() const;  // after kError; a literal, never bytes of the answer
  void Reset();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace weir::http
