// Times as operators write them: RFC 3339, a date alone, or a length of time before now ("15m", "2h30m",
// "7d", "now").
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

namespace weir::admin {

// Unix time in microseconds, or what is wrong with `text`. `now_us` is what relative times count from.
std::expected<std::int64_t, std::string> ParseTime(std::string_view text, std::int64_t now_us);

// "2026-11-21T21:22:00.123456Z"
std::string FormatTime(std::int64_t unix_us);

// A length of time in the largest two units that say something: "850ms", "12s", "3m20s", "2h5m", "4d3h".
std::string FormatDuration(std::int64_t duration_us);

}  // namespace weir::admin
