#include "engine/source/json_pointer.h"

#include <algorithm>

namespace weir::source {
namespace {

// Keys are compared with the document's bytes. A quote that is not escaped there ends the key, so a token
// with one would run on into the value behind it, and so would a token that ends in the middle of an escape.
bool StaysInsideItsKey(std::string_view token) {
  for (std::size_t i = 0; i < token.size(); ++i) {
    if (token[i] == '"') return false;
    if (token[i] == '\\') ++i;
    if (i == token.size()) return false;
  }
  return true;
}

}  // namespace

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
  if (!std::ranges::all_of(pointer.tokens, StaysInsideItsKey)) {
    return std::unexpected(
        "a key of a JSON pointer is written as the document writes it: '\"' is \\\" and '\\' is \\\\");
  }
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
