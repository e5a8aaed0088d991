// The chunked coding (RFC 9112 §7.1), decoded byte by byte as it arrives; every split gives the same result.
//
// Bounded where the grammar is not (CVE-2024-22019): sizes to sixteen digits, extensions, trailers, and the framing of
// a body beside its data. A trailer that would change framing or authority is refused. Without extensions, what is
// accepted here is a subset of what llhttp's strict mode accepts, with the same bytes and the same end; the fuzzer
// compares the two.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "engine/http/parse_fault.h"

namespace weir::http {

class ChunkedBody {
 public:
  enum class Step : std::uint8_t { kNeedMore, kDone, kFault };

  // Appends decoded bytes to `decoded` until the body ends; `consumed` may be less than bytes.size(), as the
  // next request can follow. A chunk that cannot fit into `body_bytes_max` is refused at its size, before its
  // data.
  Step Decode(std::string_view bytes, std::string& decoded, std::size_t body_bytes_max,
              std::size_t& consumed);
  const ParseFault& fault() const { return fault_; }

 private:
  // What the next byte is.
  enum class State : std::uint8_t {
    kSizeStart,       // the first hex digit of a chunk size
    kSize,            // a further digit, ';' or the line's end
    kAwaitExtension,  // whitespace was read: only ';' may follow
    kExtensionStart,  // the first character of an extension's name
    kExtensionName,
    kNameEnd,     // whitespace after a name: '=' or ';' follows
    kValueStart,  // after '='
    kValueToken,
    kQuoted,
    kQuotedPair,  // after a backslash
    kQuotedEnd,
    kSizeLf,
    kData,
    kDataCr,
    kDataLf,
    kTrailerStart,  // a trailer field, or the last line's end
    kTrailerName,
    kTrailerValue,
    kTrailerLf,
    kLastLf,
    kDone,
    kFault,
  };

  State Fail(ParseError error, std::string_view detail);
  State Next(char byte, std::size_t body_bytes_max);
  State InSize(char byte);
  State InExtension(char byte);
  State AfterExtension(char byte);
  State InTrailer(char byte);
  State AfterSizeLine(std::size_t body_bytes_max);
  State EndTrailerName();
  bool IsFramingAllowed() const;

  State state_ = State::kSizeStart;
  std::uint64_t size_ = 0;  // of this chunk; then what is left of it
  std::size_t size_digits_ = 0;
  std::size_t decoded_bytes_ = 0;
  std::size_t framing_bytes_ = 0;            // all that is not data
  std::size_t extension_bytes_ = 0;          // of this chunk
  std::size_t message_extension_bytes_ = 0;  // of all chunks
  std::size_t trailer_bytes_ = 0;
  std::array<char, 24> trailer_name_{};  // as much of it as is needed to recognise a refused one
  std::size_t trailer_name_bytes_ = 0;
  ParseFault fault_;
};

}  // namespace weir::http
