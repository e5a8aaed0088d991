// Sizes and durations as people write them: a whole number and a unit, "1MiB", "7d". Pure. A bare number is
// refused: nobody should have to guess whether 10 means seconds or milliseconds.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

namespace weir::config {

// B, KiB, MiB, GiB, TiB (powers of 1024) and kB, MB, GB, TB (powers of 1000) -> bytes.
std::expected<std::uint64_t, std::string> ParseSize(std::string_view text);

// ms, s, m, h, d -> milliseconds.
std::expected<std::int64_t, std::string> ParseDurationMs(std::string_view text);

// The shortest exact form: 65536 -> "64KiB", 604'800'000 -> "7d".
std::string FormatSize(std::uint64_t bytes);
std::string FormatDurationMs(std::int64_t ms);

}  // namespace weir::config
