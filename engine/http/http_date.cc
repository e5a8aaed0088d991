#include "engine/http/http_date.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "engine/http/tokens.h"

namespace weir::http {

namespace {

namespace chrono = std::chrono;

constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr std::array<std::string_view, 7> kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr std::array<std::string_view, 7> kLongDays = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                       "Thursday", "Friday", "Saturday"};
constexpr std::string_view kZone = " GMT";

// Takes fixed pieces off the front of a date; once one is missing, everything after it is.
class DateReader {
 public:
  explicit DateReader(std::string_view text) : rest_(text) {}

  void Literal(std::string_view literal) {
    if (!rest_.starts_with(literal)) return Fail();
    rest_.remove_prefix(literal.size());
  }
  // Exactly `digits` of them; with `padded` the first may be a space (asctime's day).
  unsigned Number(std::size_t digits, bool padded = false) {
    std::string_view text = rest_.substr(0, digits);
    if (text.size() != digits) return Fail(), 0;
    rest_.remove_prefix(digits);
    if (padded && text.front() == ' ') text.remove_prefix(1);
    if (!std::ranges::all_of(text, IsDigit)) return Fail(), 0;
    return static_cast<unsigned>(ParseDecimal(text).value_or(0));
  }
  // The position of the name in `names`.
  template <std::size_t kCount>
  unsigned Name(const std::array<std::string_view, kCount>& names) {
    const auto found =
        std::ranges::find_if(names, [this](std::string_view name) { return rest_.starts_with(name); });
    if (found == names.end()) return Fail(), 0;
    rest_.remove_prefix(found->size());
    return static_cast<unsigned>(found - names.begin());
  }
  bool good() const { return good_ && rest_.empty(); }

 private:
  void Fail() {
    good_ = false;
    rest_ = {};
  }

  std::string_view rest_;
  bool good_ = true;
};

struct DateParts {
  unsigned year = 0;
  unsigned month = 0;
  unsigned day = 0;
  unsigned hour = 0;
  unsigned minute = 0;
  unsigned second = 0;
};

void ReadTime(DateReader& reader, DateParts& date) {
  date.hour = reader.Number(2);
  reader.Literal(":");
  date.minute = reader.Number(2);
  reader.Literal(":");
  date.second = reader.Number(2);
}

// IMF-fixdate and RFC 850's form differ in the names of their days, in what stands within the date, and in the digits
// of the year.
template <std::size_t kCount>
std::optional<DateParts> ReadDayFirst(std::string_view text, const std::array<std::string_view, kCount>& days,
                                      std::string_view within, std::size_t year_digits) {
  DateReader reader(text);
  DateParts date;
  reader.Name(days);
  reader.Literal(", ");
  date.day = reader.Number(2);
  reader.Literal(within);
  date.month = reader.Name(kMonths) + 1;
  reader.Literal(within);
  date.year = reader.Number(year_digits);
  reader.Literal(" ");
  ReadTime(reader, date);
  reader.Literal(kZone);
  return reader.good() ? std::optional(date) : std::nullopt;
}

std::optional<DateParts> ReadImfFixdate(std::string_view text) {
  return ReadDayFirst(text, kDays, " ", 4);
}

// The year is that of a century: 0 to 99.
std::optional<DateParts> ReadRfc850(std::string_view text) {
  return ReadDayFirst(text, kLongDays, "-", 2);
}

std::optional<DateParts> ReadAsctime(std::string_view text) {
  DateReader reader(text);
  DateParts date;
  reader.Name(kDays);
  reader.Literal(" ");
  date.month = reader.Name(kMonths) + 1;
  reader.Literal(" ");
  date.day = reader.Number(2, true);
  reader.Literal(" ");
  ReadTime(reader, date);
  reader.Literal(" ");
  date.year = reader.Number(4);
  return reader.good() ? std::optional(date) : std::nullopt;
}

std::optional<std::int64_t> UnixSecondsOf(const DateParts& parts) {
  const chrono::year_month_day date{chrono::year{static_cast<int>(parts.year)}, chrono::month{parts.month},
                                    chrono::day{parts.day}};
  // 60 is a leap second.
  if (!date.ok() || parts.hour > 23 || parts.minute > 59 || parts.second > 60) return std::nullopt;
  const std::chrono::seconds in_day =
      chrono::hours{parts.hour} + chrono::minutes{parts.minute} + chrono::seconds{parts.second};
  return (chrono::sys_days{date}.time_since_epoch() + in_day) / chrono::seconds{1};
}

unsigned YearOf(std::int64_t unix_s) {
  const chrono::sys_seconds time{chrono::seconds{unix_s}};
  const chrono::year_month_day date{chrono::floor<chrono::days>(time)};
  return static_cast<unsigned>(static_cast<int>(date.year()));
}

}  // namespace

std::optional<std::int64_t> ParseHttpDate(std::string_view text, std::int64_t now_unix_s) {
  if (const auto date = ReadImfFixdate(text)) return UnixSecondsOf(*date);
  if (const auto date = ReadAsctime(text)) return UnixSecondsOf(*date);
  auto date = ReadRfc850(text);
  if (!date) return std::nullopt;
  const unsigned year_now = YearOf(now_unix_s);
  date->year += year_now / 100 * 100;
  if (date->year > year_now + 50) date->year -= 100;
  if (date->year + 50 <= year_now) date->year += 100;
  return UnixSecondsOf(*date);
}

}  // namespace weir::http
