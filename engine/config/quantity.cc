#include "engine/config/quantity.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <optional>
#include <span>

namespace weir::config {
namespace {

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};

constexpr std::array kSizeUnits = {Unit{"TiB", std::uint64_t{1} << 40},
                                   Unit{"GiB", 1u << 30},
                                   Unit{"MiB", 1u << 20},
                                   Unit{"KiB", 1u << 10},
                                   Unit{"TB", 1000000000000u},
                                   Unit{"GB", 1000000000u},
                                   Unit{"MB", 1000000u},
                                   Unit{"kB", 1000u},
                                   Unit{"B", 1u}};
constexpr std::array kDurationUnits = {Unit{"d", 86'400'000}, Unit{"h", 3'600'000}, Unit{"m", 60'000},
                                       Unit{"s", 1'000}, Unit{"ms", 1}};
// Powers of 1000 are read but not written, so that one amount has one spelling.
constexpr std::array kSizeUnitsWritten = {kSizeUnits[0], kSizeUnits[1], kSizeUnits[2], kSizeUnits[3],
                                          kSizeUnits[8]};

struct Kind {
  std::span<const Unit> units;
  std::string_view example;
  std::string_view smaller_for_a_half;
  std::string_view smaller_for_two;
};
constexpr Kind kSize = {.units = kSizeUnits,
                        .example = "16KiB",
                        .smaller_for_a_half = "\"1536KiB\" for one and a half MiB",
                        .smaller_for_two = "\"1536KiB\" for 1MiB512KiB"};
constexpr Kind kDuration = {.units = kDurationUnits,
                            .example = "10s",
                            .smaller_for_a_half = "\"90m\" for one and a half hours",
                            .smaller_for_two = "\"90m\" for 1h30m"};

std::optional<std::uint64_t> FactorOf(std::string_view name, std::span<const Unit> units) {
  for (const Unit& unit : units) {
    if (unit.name == name) return unit.factor;
  }
  return std::nullopt;
}

std::string UnitNames(std::span<const Unit> units) {
  std::string names;
  for (const Unit& unit : units) {
    if (!names.empty()) names += ", ";
    names += unit.name;
  }
  return names;
}

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}

// What a text that is no quantity was meant to be; empty when that cannot be told.
std::string LikelyMistake(std::string_view text, std::string_view rest, const Kind& kind) {
  if (text.find_first_of(" \t\r\n") != std::string_view::npos) return "holds white space; write it without";
  if (rest.size() > 1 && (rest.front() == '.' || rest.front() == ',') && IsDigit(rest[1])) {
    return "is not a whole number; use a smaller unit, as in " + std::string(kind.smaller_for_a_half);
  }
  const bool numbers_again = std::ranges::any_of(rest, IsDigit);
  if (!text.empty() && IsDigit(text.front()) && !rest.empty() && !IsDigit(rest.front()) && numbers_again) {
    return "is more than one number and unit; use the smaller unit alone, as in " +
           std::string(kind.smaller_for_two);
  }
  return {};
}

std::expected<std::uint64_t, std::string> Parse(std::string_view text, const Kind& kind, std::uint64_t max) {
  const std::string quoted = '"' + std::string(text) + '"';
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc::result_out_of_range) return std::unexpected(quoted + " is too large");
  const std::string_view unit = text.substr(static_cast<std::size_t>(end - text.data()));
  if (std::string mistake = LikelyMistake(text, unit, kind); !mistake.empty()) {
    return std::unexpected(quoted + ' ' + mistake);
  }
  if (error != std::errc{}) {
    return std::unexpected(quoted + " is not a whole number and a unit, as in \"" +
                           std::string(kind.example) + '"');
  }
  const auto factor = FactorOf(unit, kind.units);
  if (!factor) {
    return std::unexpected(quoted + (unit.empty() ? " has no unit" : " has an unknown unit") +
                           "; units are " + UnitNames(kind.units));
  }
  if (number > max / *factor) return std::unexpected(quoted + " is too large");
  return number * *factor;
}

std::string Format(std::uint64_t amount, std::span<const Unit> units) {
  for (const Unit& unit : units) {
    if (amount != 0 && amount % unit.factor == 0) {
      return std::to_string(amount / unit.factor) + std::string(unit.name);
    }
  }
  return "0" + std::string(units.back().name);
}

}  // namespace

std::expected<std::uint64_t, std::string> ParseSize(std::string_view text) {
  return Parse(text, kSize, std::numeric_limits<std::uint64_t>::max());
}

std::expected<std::int64_t, std::string> ParseDurationMs(std::string_view text) {
  const auto ms = Parse(text, kDuration, std::numeric_limits<std::int64_t>::max());
  if (!ms) return std::unexpected(ms.error());
  return static_cast<std::int64_t>(*ms);
}

std::string FormatSize(std::uint64_t bytes) {
  return Format(bytes, kSizeUnitsWritten);
}

std::string FormatDurationMs(std::int64_t ms) {
  if (ms < 0) return "-" + FormatDurationMs(-ms);
  return ms == 0 ? "0s" : Format(static_cast<std::uint64_t>(ms), kDurationUnits);
}

}  // namespace weir::config
