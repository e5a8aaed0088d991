// The noun everyone passes: one event, as views. Who owns the bytes is said where a value of this type is
// made.
#pragma once

#include <cstdint>
#include <string_view>

namespace weir::storage {

// Position in the log: 1, 2, 3 … without gaps. 0 is "none".
using Sequence = std::uint64_t;
inline constexpr Sequence kNoSequence = 0;

struct Event {
  Sequence sequence = kNoSequence;  // kNoSequence until the committer has assigned one
  std::int64_t received_at_us = 0;  // Unix time, microseconds, when the last byte of the request was read
  std::string_view source;          // name of the [[source]]
  std::string_view id;              // the sender's id of the event, unique within the source
  std::string_view type;            // the sender's type; may be empty
  std::string_view malformed;       // why a verified payload cannot be used; empty for a usable event
  std::string_view
      headers;            // the request's header fields as received: "Name: value\r\n" each, no request line
  std::string_view body;  // the body as received (de-chunked), byte for byte
};

}  // namespace weir::storage
