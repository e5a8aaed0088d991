// The text of a timestamp -> Unix time. What is signed is the text itself; this is the copy that is compared
// with the clock.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/source/scheme.h"

namespace weir::source {

// Microseconds. Digits only for Unix times: no sign, no space, no fraction, no leading zero, or "0123" and
// "123" would be one time under two signatures' worth of text. RFC 3339 with any number of fractional digits
// and an offset.
std::optional<std::int64_t> ParseTimestamp(std::string_view text, TimeUnit unit);

// The text a sender would write for a time, for Sign.
std::string FormatTimestamp(std::int64_t unix_s, TimeUnit unit);

}  // namespace weir::source
