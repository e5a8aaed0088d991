// Finds the lines of a request head and refuses what no line may hold. One pass over each byte however it
// arrives: the result for a prefix never changes when more bytes follow, so every way to split a head gives
// the same answer.
//
// A bare LF, a lone CR, obs-fold (RFC 9112 §5.2), an empty field name and a head without end are decided here, before a
// line is read.
#pragma once

#include <cstddef>
#include <string_view>

#include "engine/http/parse_fault.h"

namespace weir::http {

class HeadScanner {
 public:
  enum class Step : std::uint8_t { kNeedMore, kRequestLine, kHeadEnd, kFault };

  explicit HeadScanner(std::size_t head_bytes_max) : head_bytes_max_(head_bytes_max) {}

  // Goes on from where it stopped; `bytes` starts with the bytes of the call before. kRequestLine is answered
  // once, when the first line is complete; call again to go on.
  Step Scan(std::string_view bytes);

  // Offsets into `bytes`, without line ends.
  std::size_t request_line_begin() const { return begin_; }
  std::size_t request_line_end() const { return request_line_end_; }
  std::size_t fields_begin() const { return request_line_end_ + 2; }
  std::size_t fields_end() const { return fields_end_; }  // after the last field's CRLF
  std::size_t head_end() const { return fields_end_ + 2; }
  const ParseFault& fault() const { return fault_; }

  void Reset() { *this = HeadScanner(head_bytes_max_); }

 private:
  Step Fault(ParseError error, std::string_view detail);
  Step Exhausted(std::string_view bytes, std::size_t window_end);
  Step SkipEmptyLines(std::string_view bytes);
  Step CheckLineStart(char first);
  Step EndLine(std::size_t line_end);

  std::size_t head_bytes_max_;
  std::size_t begin_ = 0;     // after leading CRLFs
  std::size_t position_ = 0;  // every byte before it has been looked at
  std::size_t line_begin_ = 0;
  std::size_t request_line_end_ = 0;  // 0 until it is known
  std::size_t fields_end_ = 0;
  std::size_t field_count_ = 0;
  bool started_ = false;
  ParseFault fault_;
};

}  // namespace weir::http
