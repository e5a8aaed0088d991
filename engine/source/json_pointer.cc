#include "engine/source/json_pointer.h"

namespace weir::source {

std::expected<JsonPointer, std::string> JsonPointer::Parse(std::string_view text) {
  JsonPointer pointer;
  if (text.empty()) return pointer;
  if (text.front() != '/') {
    const std::string hint = text.front() == '$' ? "; \"$.a.b\" is written \"/a/b\"" : "";
    return std::unexpected("a JSON pointer (RFC 6901) is empty or starts with '/'" + hint);
  }
  std::string token;
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i] == '/') {
      pointer.tokens.push_back(std::move(token));
      token.clear();
    } else if (text[i] != '~') {
      token.push_back(text[i]);
    } else if (i + 1 < text.size() && (text[i + 1] == '0' || text[i + 1] == '1')) {
      token.push_back(text[++i] == '0' ? '~' : '/');
    } else {
      return std::unexpected("'~' at character " + std::to_string(i + 1) +
                             " of the JSON pointer is not followed by 0 (for '~') or 1 (for '/')");
    }
  }
  pointer.tokens.push_back(std::move(token));
  return pointer;
}

std::string JsonPointer::ToString() const {
  std::string text;
  for (const std::string& token : tokens) {
    text.push_back('/');
    for (const char c : token) {
      if (c == '~') {
        text += "~0";
      } else if (c == '/') {
        text += "~1";
      } else {
        text.push_back(c);
      }
    }
  }
  return text;
}

}  // namespace weir::source
