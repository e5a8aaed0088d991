#include "engine/sink/kept_headers.h"

#include <algorithm>
#include <cstddef>

#include "engine/http/request.h"

namespace weir::sink {

namespace {

std::string_view Trimmed(std::string_view value) {
  const std::size_t first = value.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return value.substr(first, value.find_last_not_of(" \t") - first + 1);
}

bool IsControl(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte < 0x20 && byte != '\t') || byte == 0x7F;
}

struct Line {
  std::string_view name;
  std::string_view value;  // not trimmed
};

// Takes the first line off `headers`.
Line TakeLine(std::string_view& headers) {
  const std::size_t end = std::min(headers.find("\r\n"), headers.size());
  const std::string_view line = headers.substr(0, end);
  headers.remove_prefix(std::min(end + 2, headers.size()));
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return {};
  return {.name = line.substr(0, colon), .value = line.substr(colon + 1)};
}

}  // namespace

void ForEachKeptHeader(std::string_view headers,
                       const std::function<void(std::string_view, std::string_view)>& visit) {
  while (!headers.empty()) {
    const Line line = TakeLine(headers);
    const std::string_view value = Trimmed(line.value);
    if (line.name.empty() || value.empty() || std::ranges::any_of(value, IsControl)) continue;
    visit(line.name, value);
  }
}

std::optional<std::string_view> KeptHeader(std::string_view headers, std::string_view name) {
  while (!headers.empty()) {
    const Line line = TakeLine(headers);
    if (!http::EqualsIgnoreCase(line.name, name)) continue;
    const std::string_view value = Trimmed(line.value);
    if (value.empty() || std::ranges::any_of(value, IsControl)) return std::nullopt;
    return value;
  }
  return std::nullopt;
}

}  // namespace weir::sink
