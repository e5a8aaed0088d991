#include "engine/sink/retry_after.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstddef>

namespace weir::sink {

namespace {

// Longer than any policy's maximum; keeps the multiplication below from overflowing.
constexpr std::int64_t kSecondsMax = 366LL * 24 * 3600;

constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

// All of `text` as a decimal number without a sign.
std::optional<std::int64_t> Number(std::string_view text) {
  std::int64_t value = 0;
  if (text.empty() || text.front() == '-') return std::nullopt;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (end != text.data() + text.size()) return std::nullopt;
  if (error == std::errc::result_out_of_range) return kSecondsMax;
  return error == std::errc() ? std::optional(value) : std::nullopt;
}

// "Sun, 06 Nov 1994 08:49:37 GMT" -> Unix seconds. The day's name is not compared with the date.
std::optional<std::int64_t> ImfFixdate(std::string_view text) {
  using namespace std::chrono;
  if (text.size() != 29 || text.substr(3, 2) != ", " || !text.ends_with(" GMT")) return std::nullopt;
  if (text[7] != ' ' || text[11] != ' ' || text[16] != ' ' || text[19] != ':' || text[22] != ':')
    return std::nullopt;
  const auto month_at = std::ranges::find(kMonths, text.substr(8, 3));
  const auto day_number = Number(text.substr(5, 2));
  const auto year_number = Number(text.substr(12, 4));
  const auto hour = Number(text.substr(17, 2));
  const auto minute = Number(text.substr(20, 2));
  const auto second = Number(text.substr(23, 2));
  if (month_at == kMonths.end() || !day_number || !year_number || !hour || !minute || !second)
    return std::nullopt;
  const year_month_day date{year{static_cast<int>(*year_number)},
                            month{static_cast<unsigned>(month_at - kMonths.begin()) + 1},
                            day{static_cast<unsigned>(*day_number)}};
  if (!date.ok() || *hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
  return sys_days{date}.time_since_epoch().count() * std::int64_t{86'400} + *hour * 3600 + *minute * 60 +
         *second;
}

}  // namespace

std::optional<std::int64_t> ParseRetryAfter(std::string_view text, std::int64_t now_unix_s) {
  std::optional<std::int64_t> seconds = Number(text);
  if (!seconds) {
    const auto date = ImfFixdate(text);
    if (!date) return std::nullopt;
    seconds = *date - now_unix_s;
  }
  return std::clamp<std::int64_t>(*seconds, 0, kSecondsMax) * 1000;
}

}  // namespace weir::sink
