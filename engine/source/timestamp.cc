#include "engine/source/timestamp.h"

#include <chrono>
#include <cstdio>
#include <string>

namespace weir::source {
namespace {

constexpr std::int64_t kMicros = 1'000'000;

// Consumes exactly `digits` digits.
std::optional<std::int64_t> TakeNumber(std::string_view& text, std::size_t digits) {
  if (text.size() < digits) return std::nullopt;
  std::int64_t value = 0;
  for (std::size_t i = 0; i < digits; ++i) {
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(digits);
  return value;
}

bool Take(std::string_view& text, char expected, char or_expected) {
  if (text.empty() || (text.front() != expected && text.front() != or_expected)) return false;
  text.remove_prefix(1);
  return true;
}

std::optional<std::int64_t> ParseUnix(std::string_view text, std::int64_t micros_per_unit) {
  constexpr std::size_t kDigitsMax = 15;  // a millisecond count of this length is past the year 30000
  if (text.empty() || text.size() > kDigitsMax || (text.size() > 1 && text.front() == '0'))
    return std::nullopt;
  const auto value = TakeNumber(text, text.size());
  if (!value) return std::nullopt;
  if (*value > INT64_MAX / micros_per_unit) return std::nullopt;
  return *value * micros_per_unit;
}

// "+02:00" or "Z" -> seconds east of UTC; consumes everything.
std::optional<std::int64_t> TakeOffset(std::string_view& text) {
  if (text == "Z" || text == "z") return 0;
  if (text.size() != 6 || (text[0] != '+' && text[0] != '-')) return std::nullopt;
  const std::int64_t sign = text[0] == '-' ? -1 : 1;
  text.remove_prefix(1);
  const auto hours = TakeNumber(text, 2);
  if (!hours || !Take(text, ':', ':')) return std::nullopt;
  const auto minutes = TakeNumber(text, 2);
  if (!minutes || *hours > 23 || *minutes > 59) return std::nullopt;
  return sign * (*hours * 3600 + *minutes * 60);
}

// RFC 3339 §5.6. Digits past the microsecond are read and dropped.
std::optional<std::int64_t> TakeFraction(std::string_view& text) {
  if (text.empty() || text.front() != '.') return 0;
  text.remove_prefix(1);
  std::int64_t micros = 0;
  std::int64_t unit = kMicros / 10;
  std::size_t digits = 0;
  while (digits < text.size() && text[digits] >= '0' && text[digits] <= '9') {
    micros += (text[digits] - '0') * unit;
    unit /= 10;
    ++digits;
  }
  if (digits == 0) return std::nullopt;
  text.remove_prefix(digits);
  return micros;
}

std::optional<std::int64_t> ParseRfc3339(std::string_view text) {
  const auto year = TakeNumber(text, 4);
  if (!year || !Take(text, '-', '-')) return std::nullopt;
  const auto month = TakeNumber(text, 2);
  if (!month || !Take(text, '-', '-')) return std::nullopt;
  const auto day = TakeNumber(text, 2);
  if (!day || !Take(text, 'T', 't')) return std::nullopt;
  const auto hour = TakeNumber(text, 2);
  if (!hour || !Take(text, ':', ':')) return std::nullopt;
  const auto minute = TakeNumber(text, 2);
  if (!minute || !Take(text, ':', ':')) return std::nullopt;
  const auto second = TakeNumber(text, 2);
  const auto fraction = second ? TakeFraction(text) : std::nullopt;
  const auto offset = fraction ? TakeOffset(text) : std::nullopt;
  if (!offset || *hour > 23 || *minute > 59 || *second > 60) return std::nullopt;

  const std::chrono::year_month_day date{std::chrono::year{static_cast<int>(*year)},
                                         std::chrono::month{static_cast<unsigned>(*month)},
                                         std::chrono::day{static_cast<unsigned>(*day)}};
  if (!date.ok()) return std::nullopt;
  const std::int64_t days = std::chrono::sys_days{date}.time_since_epoch().count();
  const std::int64_t seconds = days * 86400 + *hour * 3600 + *minute * 60 + *second - *offset;
  return seconds * kMicros + *fraction;
}

}  // namespace

std::optional<std::int64_t> ParseTimestamp(std::string_view text, TimeUnit unit) {
  switch (unit) {
    case TimeUnit::kSeconds:
      return ParseUnix(text, kMicros);
    case TimeUnit::kMilliseconds:
      return ParseUnix(text, 1000);
    case TimeUnit::kRfc3339:
      return ParseRfc3339(text);
  }
  return std::nullopt;
}

std::string FormatTimestamp(std::int64_t unix_s, TimeUnit unit) {
  switch (unit) {
    case TimeUnit::kSeconds:
      return std::to_string(unix_s);
    case TimeUnit::kMilliseconds:
      return std::to_string(unix_s * 1000);
    case TimeUnit::kRfc3339:
      break;
  }
  const std::chrono::sys_seconds time{std::chrono::seconds{unix_s}};
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss clock{time - day};
  char text[40];
  const int size =
      std::snprintf(text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02dZ", static_cast<int>(date.year()),
                    static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                    static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                    static_cast<int>(clock.seconds().count()));
  return {text, static_cast<std::size_t>(size)};
}

}  // namespace weir::source
