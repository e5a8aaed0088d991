// HTTP-date (RFC 9110 §5.6.7) -> Unix time. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace weir::http {

// Unix seconds of a date in any of the three forms that a recipient must read:
//
//   IMF-fixdate    Sun, 06 Nov 1994 08:49:37 GMT
//   RFC 850        Sunday, 06-Nov-94 08:49:37 GMT
//   asctime        Sun Nov  6 08:49:37 1994
//
// nullopt for anything else. The name of the day is only looked at to tell the forms apart: a wrong one is no reason
// to lose the date. A year of two digits is the one that is at most 50 years after `now_unix_s`.
std::optional<std::int64_t> ParseHttpDate(std::string_view text, std::int64_t now_unix_s);

}  // namespace weir::http
