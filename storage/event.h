// The noun everyone passes: one event, as views. Who owns the bytes is said where a value of this type is
// made.
#pragma once

#include <cstddef>
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
  // XXH3-64 of what two requests under one id must share to be the same event, where that is not the body's bytes:
  // what its sender changes with every attempt is left out. 0 = the body.
  std::uint64_t substance = 0;
  std::uint32_t attempt = 0;  // the sender's own count of attempts when this came; 0 = it did not say
  bool test = false;          // of a test button, which sends one id again and again
  bool untyped = false;       // usable, but there was no type where the source's kind has one
};

// Two requests under one id that are one event.
inline bool IsSame(const Event& a, const Event& b) {
  return a.substance != 0 && b.substance != 0 ? a.substance == b.substance : a.body == b.body;
}

// Where the sender's id does not stand for one event alone, an event's id is the sender's, '#' and 16 hex digits.
inline constexpr std::size_t kNameSuffixBytes = 17;

// What the sender calls the event with this id.
inline std::string_view SenderIdOf(std::string_view id) {
  const std::size_t at = id.size() < kNameSuffixBytes ? std::string_view::npos : id.size() - kNameSuffixBytes;
  const bool named = at != std::string_view::npos && id[at] == '#' &&
                     id.find_first_not_of("0123456789abcdef", at + 1) == std::string_view::npos;
  return named ? id.substr(0, at) : id;
}

// Whether `wanted` is the event's id or what its sender calls it.
inline bool IsNamed(std::string_view id, std::string_view wanted) {
  return id == wanted || SenderIdOf(id) == wanted;
}

}  // namespace weir::storage
