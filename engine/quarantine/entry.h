// A refused request as the quarantine keeps it, and its bytes on disk. Pure.
//
//   value := version:u8=2 received_at_us:i64 source reason method target headers body request_id check:u64
//
// Version 1 has no request_id. The texts are bytes:u32 bytes; check is storage/value_codec.h's, seeded with the
// entry's place, so that an entry that was torn or moved is recognised.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace weir::quarantine {

struct Entry {
  std::int64_t received_at_us = 0;  // Unix time, microseconds
  std::string source;
  std::string reason;      // the code it was refused with
  std::string request_id;  // X-Request-Id of its answer; empty in entries of version 1
  std::string method;
  std::string target;   // as sent
  std::string headers;  // "Name: value\r\n" each, as received
  std::string body;     // de-chunked

  std::size_t bytes() const {
    return source.size() + reason.size() + request_id.size() + method.size() + target.size() +
           headers.size() + body.size();
  }
};

// Where an entry is: the id an operator names it by, "stripe:1795307765:8".
struct Place {
  std::string source;
  std::uint32_t segment = 0;
  std::uint32_t offset = 0;
  auto operator<=>(const Place&) const = default;
};
std::string ToString(const Place& place);
std::optional<Place> ParsePlace(std::string_view text);

std::string Encode(const Entry& entry, const Place& place);
// nullopt when the bytes are not what was written there.
std::optional<Entry> Decode(std::string_view value, const Place& place);

}  // namespace weir::quarantine
