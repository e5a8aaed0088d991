#include "engine/http/field_block.h"

#include <algorithm>
#include <cstddef>
#include <expected>
#include <span>
#include <string_view>

#include "engine/http/tokens.h"
#include "storage/check.h"

namespace weir::http {

namespace {

constexpr std::string_view kLineEnd = "\r\n";

std::unexpected<ParseFault> Malformed(std::string_view detail) {
  return std::unexpected(ParseFault{.error = ParseError::kMalformed, .detail = detail});
}

}  // namespace

std::expected<std::size_t, ParseFault> ParseFieldBlock(std::string_view block, std::span<Field> fields) {
  std::size_t count = 0;
  while (!block.empty()) {
    const std::size_t line_end = block.find('\n');
    WEIR_CHECK(line_end != std::string_view::npos && line_end >= kLineEnd.size() && count < fields.size());
    const std::string_view line = block.substr(0, line_end + 1 - kLineEnd.size());
    block.remove_prefix(line_end + 1);

    const auto name_end = std::ranges::find_if_not(line, IsTokenChar);
    const auto name_bytes = static_cast<std::size_t>(name_end - line.begin());
    if (name_end == line.end()) return Malformed("a header line without a colon");
    if (name_bytes == 0 || *name_end != ':')
      return Malformed("a character that no header field name may hold");
    fields[count++] = {.name = line.substr(0, name_bytes),
                       .value = TrimWhitespace(line.substr(name_bytes + 1))};
  }
  return count;
}

}  // namespace weir::http
