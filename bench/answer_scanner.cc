#include "bench/answer_scanner.h"

#include <charconv>

#include "engine/http/request.h"

namespace weir::bench {
namespace {

constexpr std::string_view kVersion = "HTTP/1.1 ";

std::string_view TrimSpaces(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

std::optional<std::size_t> ParseNumber(std::string_view digits) {
  std::size_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return value;
}

}  // namespace

std::optional<ScannedAnswer> ScanAnswer(std::string_view received) {
  if (!received.starts_with(kVersion)) return std::nullopt;
  const std::size_t head_end = received.find("\r\n\r\n");
  if (head_end == std::string_view::npos) return std::nullopt;

  const auto status = ParseNumber(received.substr(kVersion.size(), 3));
  if (!status || *status < 200 || *status == 204 || *status == 304 || *status > 599) return std::nullopt;

  std::optional<std::size_t> length;
  bool keep_alive = true;
  std::string_view fields = received.substr(0, head_end + 2);
  fields.remove_prefix(fields.find("\r\n") + 2);
  while (!fields.empty()) {
    const std::size_t line_end = fields.find("\r\n");
    const std::string_view line = fields.substr(0, line_end);
    fields.remove_prefix(line_end + 2);
    // Only three names matter and their lengths differ from most others, so most lines cost one comparison.
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) return std::nullopt;
    const std::string_view name = line.substr(0, colon);
    if (name.size() == 14 && http::EqualsIgnoreCase(name, "Content-Length")) {
      length = ParseNumber(TrimSpaces(line.substr(colon + 1)));
      if (!length) return std::nullopt;
    } else if (name.size() == 17 && http::EqualsIgnoreCase(name, "Transfer-Encoding")) {
      return std::nullopt;
    } else if (name.size() == 10 && http::EqualsIgnoreCase(name, "Connection")) {
      const std::string_view option = TrimSpaces(line.substr(colon + 1));
      keep_alive = http::EqualsIgnoreCase(option, "keep-alive");
      if (!keep_alive && !http::EqualsIgnoreCase(option, "close")) return std::nullopt;
    }
  }
  if (!length || received.size() - (head_end + 4) < *length) return std::nullopt;
  return ScannedAnswer{static_cast<int>(*status), head_end + 4 + *length, keep_alive};
}

}  // namespace weir::bench
