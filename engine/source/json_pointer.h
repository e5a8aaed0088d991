// RFC 6901 JSON pointers, and reading the value at one from a simdjson document.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

namespace weir::source {

struct JsonPointer {
  std::vector<std::string> tokens;  // unescaped; empty = the whole document

  // "/data/object~1id/0"; keys as the document writes them, so a quote with its backslash. The error says
  // what is wrong and where (1-based column).
  static std::expected<JsonPointer, std::string> Parse(std::string_view text);
  std::string ToString() const;
};

}  // namespace weir::source
