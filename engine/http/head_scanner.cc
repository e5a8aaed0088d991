#include "engine/http/head_scanner.h"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "engine/http/tokens.h"
#include "engine/limits.h"

namespace weir::http {

namespace {

// Method, version, two spaces and CRLF around a target of the longest length that is served.
constexpr std::size_t kRequestLineBytesMax = limits::kTargetBytesMax + 64;

constexpr std::uint64_t kOnes = 0x0101010101010101;
constexpr std::uint64_t kHighBits = 0x8080808080808080;

bool IsControl(char byte) {
  return static_cast<std::uint8_t>(byte) < 0x20 || byte == 0x7f;
}

// The first byte below 0x20 or equal to 0x7f at or after `position`; `end` when there is none. Eight bytes a
// step: a borrow can only spoil lanes above a true hit, so the lowest marked lane is exact on a little-endian
// machine.
std::size_t FindControl(std::string_view bytes, std::size_t position, std::size_t end) {
  static_assert(std::endian::native == std::endian::little);
  for (; position + 8 <= end; position += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, &bytes[position], 8);
    const std::uint64_t below_space = (word - kOnes * 0x20) & ~word;
    const std::uint64_t not_delete = word ^ (kOnes * 0x7f);
    const std::uint64_t is_delete = (not_delete - kOnes) & ~not_delete;
    const std::uint64_t hits = (below_space | is_delete) & kHighBits;
    if (hits != 0) return position + static_cast<std::size_t>(std::countr_zero(hits)) / 8;
  }
  while (position < end && !IsControl(bytes[position])) ++position;
  return position;
}

}  // namespace

HeadScanner::Step HeadScanner::Fault(ParseError error, std::string_view detail) {
  fault_ = {.error = error, .detail = detail};
  return Step::kFault;
}

// The bytes at hand hold no further line end: either more may come, or a limit is reached.
HeadScanner::Step HeadScanner::Exhausted(std::string_view bytes, std::size_t window_end) {
  if (bytes.size() < window_end) return Step::kNeedMore;
  if (request_line_end_ == 0) return Fault(ParseError::kTargetTooLong, "the request line is too long");
  return Fault(ParseError::kHeadTooLarge, "the header block is too large");
}

// RFC 9112 §2.2: empty lines before a request are what some clients send after a body.
HeadScanner::Step HeadScanner::SkipEmptyLines(std::string_view bytes) {
  while (begin_ < bytes.size() && bytes[begin_] == '\r') {
    if (begin_ + 1 == bytes.size()) return Step::kNeedMore;
    if (bytes[begin_ + 1] != '\n') return Fault(ParseError::kMalformed, "CR without LF");
    if (begin_ == 2 * limits::kLeadingEmptyLinesMax) {
      return Fault(ParseError::kMalformed, "too many empty lines before the request");
    }
    begin_ += 2;
  }
  if (begin_ == bytes.size()) return Step::kNeedMore;
  position_ = line_begin_ = begin_;
  started_ = true;
  return Step::kRequestLine;
}

HeadScanner::Step HeadScanner::CheckLineStart(char first) {
  if (request_line_end_ == 0) {
    if (!IsTokenChar(first)) return Fault(ParseError::kMalformed, "the request does not start with a method");
  } else if (first == ' ' || first == '\t') {
    return Fault(ParseError::kMalformed, "a header line starts with whitespace (obs-fold)");
  } else if (first == ':') {
    return Fault(ParseError::kMalformed, "a header field has no name");
  }
  return Step::kNeedMore;
}

HeadScanner::Step HeadScanner::EndLine(std::size_t line_end) {
  const bool empty = line_end == line_begin_;
  line_begin_ = position_ = line_end + 2;
  if (request_line_end_ == 0) {
    request_line_end_ = line_end;
    return Step::kRequestLine;
  }
  if (empty) {
    fields_end_ = line_end;
    return Step::kHeadEnd;
  }
  if (++field_count_ > limits::kHeaderFieldsMax) {
    return Fault(ParseError::kTooManyFields, "too many header fields");
  }
  return Step::kNeedMore;
}

HeadScanner::Step HeadScanner::Scan(std::string_view bytes) {
  if (!started_) {
    if (const Step step = SkipEmptyLines(bytes); step != Step::kRequestLine) return step;
  }
  for (;;) {
    const std::size_t window_end =
        begin_ + (request_line_end_ == 0 ? std::min(head_bytes_max_, kRequestLineBytesMax) : head_bytes_max_);
    const std::size_t end = std::min(bytes.size(), window_end);
    if (position_ >= end) return Exhausted(bytes, window_end);
    if (position_ == line_begin_ && CheckLineStart(bytes[position_]) == Step::kFault) return Step::kFault;

    position_ = FindControl(bytes, position_, end);
    if (position_ == end) return Exhausted(bytes, window_end);
    const char control = bytes[position_];
    if (control == '\t' && request_line_end_ != 0) {
      ++position_;
      continue;
    }
    if (control == '\n') return Fault(ParseError::kMalformed, "LF without CR");
    if (control != '\r') return Fault(ParseError::kMalformed, "a control character in the header block");
    if (position_ + 1 == end) return Exhausted(bytes, window_end);
    if (bytes[position_ + 1] != '\n') return Fault(ParseError::kMalformed, "CR without LF");
    if (const Step step = EndLine(position_); step != Step::kNeedMore) return step;
  }
}

}  // namespace weir::http
