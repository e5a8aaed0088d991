#include "engine/sink/retry_after.h"

#include <algorithm>
#include <cstddef>

#include "engine/http/http_date.h"
#include "engine/http/tokens.h"

namespace weir::sink {

namespace {

// Longer than any policy's maximum; keeps the multiplication below from overflowing.
constexpr std::int64_t kSecondsMax = 366LL * 24 * 3600;

// 1*DIGIT [ "." 1*DIGIT ] -> milliseconds, rounded up. A number that is too large for 64 bits is a long wait, not
// an unreadable one.
std::optional<std::int64_t> SecondsInMs(std::string_view text) {
  const std::size_t point = text.find('.');
  const std::string_view whole = text.substr(0, point);
  const std::string_view fraction = point == std::string_view::npos ? "0" : text.substr(point + 1);
  if (whole.empty() || fraction.empty()) return std::nullopt;
  if (!std::ranges::all_of(whole, http::IsDigit) || !std::ranges::all_of(fraction, http::IsDigit))
    return std::nullopt;
  const auto seconds = static_cast<std::int64_t>(std::min<std::uint64_t>(
      http::ParseDecimal(whole).value_or(kSecondsMax), static_cast<std::uint64_t>(kSecondsMax)));
  std::int64_t ms = 0;
  for (std::size_t i = 0; i < 3; ++i) ms = ms * 10 + (i < fraction.size() ? fraction[i] - '0' : 0);
  const bool more = fraction.substr(std::min<std::size_t>(3, fraction.size())).find_first_not_of('0') !=
                    std::string_view::npos;
  return seconds * 1000 + ms + (more ? 1 : 0);
}

}  // namespace

std::optional<std::int64_t> ParseRetryAfter(std::string_view text, std::int64_t now_unix_s) {
  std::optional<std::int64_t> ms = SecondsInMs(text);
  if (!ms) {
    const auto date = http::ParseHttpDate(text, now_unix_s);
    if (!date) return std::nullopt;
    ms = std::clamp<std::int64_t>(*date - now_unix_s, 0, kSecondsMax) * 1000;
  }
  return std::min(*ms, kSecondsMax * 1000);
}

}  // namespace weir::sink
