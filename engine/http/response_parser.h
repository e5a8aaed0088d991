// A server's answer -> status, fields of interest, framing. Pure and resumable. Used by the http sink and by
// weir-bench.
//
// A final status line is the answer (answer_head.h): no fault behind it is an error, it only ends the connection.
// Bounds: limits::kResponseHeadBytesMax and kResponseBodyBytesMax are read, one line and what the caller asked for
// are kept; time is the caller's.
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
  bool keep_alive = true;                  // false wherever the end of the answer is not beyond doubt
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
  // No more bytes will come, whether the peer closed, reset or ran out of time. kDone if a final status line had come:
  // the answer is then what is known of it, and its connection is not to be used again.
  Step Finish();
  // The final status, from its line on; 0 until then. Whatever is still to come does not change it.
  int status() const;
  const Response& response() const;
  std::string_view error_detail() const;  // after kError; a literal, never bytes of the answer
  void Reset();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace weir::http
