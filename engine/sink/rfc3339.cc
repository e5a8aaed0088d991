#include "engine/sink/rfc3339.h"

#include <chrono>
#include <cstddef>

namespace weir::sink {

namespace {

void AppendDigits(std::string& out, std::uint64_t value, std::size_t width) {
  const std::size_t start = out.size();
  out.append(width, '0');
  for (std::size_t i = width; i > 0 && value > 0; --i, value /= 10) {
    out[start + i - 1] = static_cast<char>('0' + value % 10);
  }
}

}  // namespace

void AppendRfc3339(std::string& out, std::int64_t unix_us) {
  using namespace std::chrono;
  const sys_time<microseconds> time{microseconds{unix_us}};
  const auto day = floor<days>(time);
  const year_month_day date{day};
  const auto in_day = static_cast<std::uint64_t>((time - day).count());
  const std::uint64_t seconds_in_day = in_day / 1'000'000;

  AppendDigits(out, static_cast<std::uint64_t>(static_cast<int>(date.year())), 4);
  out += '-';
  AppendDigits(out, static_cast<unsigned>(date.month()), 2);
  out += '-';
  AppendDigits(out, static_cast<unsigned>(date.day()), 2);
  out += 'T';
  AppendDigits(out, seconds_in_day / 3600, 2);
  out += ':';
  AppendDigits(out, seconds_in_day / 60 % 60, 2);
  out += ':';
  AppendDigits(out, seconds_in_day % 60, 2);
  out += '.';
  AppendDigits(out, in_day % 1'000'000, 6);
  out += 'Z';
}

}  // namespace weir::sink
