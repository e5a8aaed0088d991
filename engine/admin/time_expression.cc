#include "engine/admin/time_expression.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "engine/text/rfc3339.h"

namespace weir::admin {

namespace {

constexpr std::int64_t kSecondUs = 1'000'000;
constexpr std::int64_t kMinuteUs = 60 * kSecondUs;
constexpr std::int64_t kHourUs = 60 * kMinuteUs;
constexpr std::int64_t kDayUs = 24 * kHourUs;
constexpr std::int64_t kFarthestUs =
    std::int64_t{1'000} * 366 * kDayUs;  // no relative time reaches further back

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

  bool Take(char c) {
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }

  // All digits there are, at least one; nullopt also when they do not fit.
  std::optional<std::int64_t> Digits() {
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
    if (rest_.empty() || !IsDigit(rest_.front()) || error != std::errc{}) return std::nullopt;
    rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
    return value;
  }

 private:
  std::string_view rest_;
};

// RFC 3339, also with a space for the T, or its date alone.
std::optional<std::int64_t> ParseAbsolute(std::string_view text) {
  constexpr std::size_t kDateBytes = std::string_view("2026-11-21").size();
  std::string whole(text);
  if (whole.size() == kDateBytes) whole += "T00:00:00Z";
  if (whole.size() > kDateBytes && whole[kDateBytes] == ' ') whole[kDateBytes] = 'T';
  return text::ParseRfc3339(whole);
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
  text::AppendRfc3339(text, unix_us);
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
