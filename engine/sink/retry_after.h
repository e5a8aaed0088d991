// Retry-After (RFC 9110 §10.2.3): seconds, or a date. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace weir::sink {

// Milliseconds to wait, at most 366 days; 0 for a date that has passed; nullopt for anything else, which is then
// as if it were not there. All three forms of HTTP-date are read (RFC 9110 §5.6.7), and a fraction of a second,
// which is rounded up. A floor for the wait is the retry policy's business, not this function's.
std::optional<std::int64_t> ParseRetryAfter(std::string_view text, std::int64_t now_unix_s);

}  // namespace weir::sink
