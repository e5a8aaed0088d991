// RFC 3339 §5.6 <-> Unix time. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace weir::text {

// "2026-11-21T21:16:00.123456Z"
void AppendRfc3339(std::string& out, std::int64_t unix_us);
// "2026-11-21T21:16:00Z"
void AppendRfc3339Seconds(std::string& out, std::int64_t unix_s);

// Microseconds. Any offset; any number of fractional digits, those past the microsecond are cut off. A second
// of 60 is the next one: Unix time has no place for a leap second.
std::optional<std::int64_t> ParseRfc3339(std::string_view text);

}  // namespace weir::text
