// Retry-After (RFC 9110 §10.2.3): seconds, or a date. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace weir::sink {

// Milliseconds to wait; 0 for a date that has passed; nullopt for anything else, which is then as if it were
// not there. Of the date forms only the one that RFC 9110 §5.6.7 lets senders generate is read.
std::optional<std::int64_t> ParseRetryAfter(std::string_view text, std::int64_t now_unix_s);

}  // namespace weir::sink
