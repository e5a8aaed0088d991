#include "engine/source/timestamp.h"

#include <string>

#include "engine/text/rfc3339.h"

namespace weir::source {
namespace {

constexpr std::int64_t kMicros = 1'000'000;

std::optional<std::int64_t> ParseUnix(std::string_view text, std::int64_t micros_per_unit) {
  constexpr std::size_t kDigitsMax = 15;  // a millisecond count of this length is past the year 30000
  if (text.empty() || text.size() > kDigitsMax || (text.size() > 1 && text.front() == '0'))
    return std::nullopt;
  std::int64_t value = 0;
  for (const char digit : text) {
    if (digit < '0' || digit > '9') return std::nullopt;
    value = value * 10 + (digit - '0');
  }
  if (value > INT64_MAX / micros_per_unit) return std::nullopt;
  return value * micros_per_unit;
}

}  // namespace

std::optional<std::int64_t> ParseTimestamp(std::string_view text, TimeUnit unit) {
  switch (unit) {
    case TimeUnit::kSeconds:
      return ParseUnix(text, kMicros);
    case TimeUnit::kMilliseconds:
      return ParseUnix(text, 1000);
    case TimeUnit::kRfc3339:
      return text::ParseRfc3339(text);
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
  std::string text;
  text::AppendRfc3339Seconds(text, unix_s);
  return text;
}

}  // namespace weir::source
