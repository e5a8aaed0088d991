#include "engine/admin/time_expression.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <optional>

#include "engine/sink/rfc3339.h"

namespace weir::admin {

namespace {

constexpr std::int64_t kSecondUs = 1'000'000;
constexpr std::int64_t kMinuteUs = 60 * kSecondUs;
constexpr std::int64_t kHourUs = 60 * kMinuteUs;
constexpr std::int64_t kDayUs = 24 * kHourUs;
constexpr std::int64_t kFarthestUs = 1'000 * 366 * kDayUs;  // no relative time reaches further back

constexpr std::string_view kExpected =
    "expected RFC 3339 (2026-11-21T09:30:00Z), a date (2026-11-21) or a length of time (15m, 2h, 7d)";

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}

// Takes characters off the front of the text as long as they are what they should be.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  bool AtEnd() const { return rest_.empty(); }

  bool Take(char a, char b) {
    if (rest_.empty() || (rest_.front() != a && rest_.front() != b)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  bool Take(char c) { return Take(c, c); }

  // Exactly `digits` digits.
  std::optional<int> Number(std::size_t digits) {
    if (rest_.size() < digits ||
        !std::all_of(rest_.begin(), rest_.begin() + static_cast<long>(digits), IsDigit)) {
      return std::nullopt;
    }
    int value = 0;
    std::from_chars(rest_.data(), rest_.data() + digits, value);
    rest_.remove_prefix(digits);
    return value;
  }

  // All digits there are, at least one; nullopt also when they do not fit.
  std::optional<std::int64_t> Digits() {
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
    if (rest_.empty() || !IsDigit(rest_.front()) || error != std::errc{}) return std::nullopt;
    rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
    return value;
  }

  // The digits of a fraction, as microseconds; what is finer is cut off.
  std::optional<std::int64_t> Fraction() {
    if (rest_.empty() || !IsDigit(rest_.front())) return std::nullopt;
    std::int64_t value_us = 0;
    for (std::int64_t place_us = kSecondUs / 10; !rest_.empty() && IsDigit(rest_.front()); place_us /= 10) {
      value_us += (rest_.front() - '0') * place_us;
      rest_.remove_prefix(1);
    }
    return value_us;
  }

 private:
  std::string_view rest_;
};

std::optional<std::int64_t> TakeDate(Scanner& scanner) {
  const auto year = scanner.Number(4);
  if (!year || !scanner.Take('-')) return std::nullopt;
  const auto month = scanner.Number(2);
  if (!month || !scanner.Take('-')) return std::nullopt;
  const auto day = scanner.Number(2);
  if (!day) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(*year),
                                         std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days(date).time_since_epoch().count() * kDayUs;
}

std::optional<std::int64_t> TakeTimeOfDay(Scanner& scanner) {
  const auto hour = scanner.Number(2);
  if (!hour || !scanner.Take(':')) return std::nullopt;
  const auto minute = scanner.Number(2);
  if (!minute || !scanner.Take(':')) return std::nullopt;
  const auto second = scanner.Number(2);
  // 60 is a leap second (RFC 3339 §5.6), which Unix time has no place for: it is the next second.
  if (!second || *hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
  std::int64_t fraction_us = 0;
  if (scanner.Take('.')) {
    const auto fraction = scanner.Fraction();
    if (!fraction) return std::nullopt;
    fraction_us = *fraction;
  }
  return *hour * kHourUs + *minute * kMinuteUs + *second * kSecondUs + fraction_us;
}

// What has to be subtracted to come to UTC.
std::optional<std::int64_t> TakeOffset(Scanner& scanner) {
  if (scanner.Take('Z', 'z')) return 0;
  std::int64_t sign = 1;
  if (scanner.Take('-')) {
    sign = -1;
  } else if (!scanner.Take('+')) {
    return std::nullopt;
  }
  const auto hour = scanner.Number(2);
  if (!hour || !scanner.Take(':')) return std::nullopt;
  const auto minute = scanner.Number(2);
  if (!minute || *hour > 23 || *minute > 59) return std::nullopt;
  return sign * (*hour * kHourUs + *minute * kMinuteUs);
}

std::optional<std::int64_t> ParseAbsolute(std::string_view text) {
  Scanner scanner(text);
  const auto date = TakeDate(scanner);
  if (!date) return std::nullopt;
  if (scanner.AtEnd()) return date;
  if (!scanner.Take('T', 't') && !scanner.Take(' ')) return std::nullopt;
  const auto time = TakeTimeOfDay(scanner);
  if (!time) return std::nullopt;
  const auto offset = TakeOffset(scanner);
  if (!offset || !scanner.AtEnd()) return std::nullopt;
  return *date + *time - *offset;
}

std::optional<std::int64_t> TakeUnit(Scanner& scanner) {
  if (scanner.Take('s')) return kSecondUs;
  if (scanner.Take('m')) return kMinuteUs;
  if (scanner.Take('h')) return kHourUs;
  if (scanner.Take('d')) return kDayUs;
  if (scanner.Take('w')) return 7 * kDayUs;
  return std::nullopt;
}

std::optional<std::int64_t> ParseLength(std::string_view text) {
  Scanner scanner(text);
  std::int64_t length_us = 0;
  do {
    const auto count = scanner.Digits();
    if (!count) return std::nullopt;
    const auto unit_us = TakeUnit(scanner);
    if (!unit_us || *count > (kFarthestUs - length_us) / *unit_us) return std::nullopt;
    length_us += *count * *unit_us;
  } while (!scanner.AtEnd());
  return length_us;
}

}  // namespace

std::expected<std::int64_t, std::string> ParseTime(std::string_view text, std::int64_t now_us) {
  if (text == "now") return now_us;
  if (const auto length_us = ParseLength(text)) return now_us - *length_us;
  if (const auto absolute_us = ParseAbsolute(text)) return *absolute_us;
  return std::unexpected("not a time: \"" + std::string(text) + "\"; " + std::string(kExpected));
}

std::string FormatTime(std::int64_t unix_us) {
  std::string text;
  sink::AppendRfc3339(text, unix_us);
  return text;
}

std::string FormatDuration(std::int64_t duration_us) {
  struct Unit {
    std::int64_t us;
    const char* name;
  };
  static constexpr std::array<Unit, 4> kUnits = {
      {{kDayUs, "d"}, {kHourUs, "h"}, {kMinuteUs, "m"}, {kSecondUs, "s"}}};
  const std::int64_t length_us = std::max<std::int64_t>(duration_us, 0);
  if (length_us < 1000) return std::to_string(length_us) + "us";
  if (length_us < kSecondUs) return std::to_string(length_us / 1000) + "ms";
  for (std::size_t i = 0; i < kUnits.size(); ++i) {
    if (length_us < kUnits[i].us) continue;
    std::string text = std::to_string(length_us / kUnits[i].us) + kUnits[i].name;
    if (i + 1 == kUnits.size()) return text;
    const std::int64_t rest = length_us % kUnits[i].us / kUnits[i + 1].us;
    return rest == 0 ? text : text + std::to_string(rest) + kUnits[i + 1].name;
  }
  return "0s";
}

}  // namespace weir::admin
