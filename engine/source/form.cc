#include "engine/source/form.h"

namespace weir::source {
namespace {

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// Calls visit(name, value) with the encoded texts, until it returns false.
template <typename Visit>
void ForEachPair(std::string_view text, Visit visit) {
  while (!text.empty()) {
    const std::size_t end = text.find('&');
    const std::string_view pair = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (pair.empty()) continue;
    const std::size_t equals = pair.find('=');
    const std::string_view value =
        equals == std::string_view::npos ? std::string_view() : pair.substr(equals + 1);
    if (!visit(pair.substr(0, equals), value)) return;
  }
}

}  // namespace

void AppendPercentDecoded(std::string& out, std::string_view text, bool plus_is_space) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '+' && plus_is_space) {
      out.push_back(' ');
      continue;
    }
    if (c == '%' && i + 2 < text.size() && HexValue(text[i + 1]) >= 0 && HexValue(text[i + 2]) >= 0) {
      out.push_back(static_cast<char>(HexValue(text[i + 1]) * 16 + HexValue(text[i + 2])));
      i += 2;
      continue;
    }
    out.push_back(c);
  }
}

void ParseForm(std::string_view text, std::vector<FormPair>& out, std::size_t at_most) {
  ForEachPair(text, [&](std::string_view name, std::string_view value) {
    if (out.size() == at_most) return false;
    FormPair& pair = out.emplace_back();
    AppendPercentDecoded(pair.name, name, true);
    AppendPercentDecoded(pair.value, value, true);
    return true;
  });
}

std::optional<std::string_view> FindInForm(std::string_view text, std::string_view name,
                                           std::string& scratch) {
  std::optional<std::string_view> found;
  ForEachPair(text, [&](std::string_view encoded_name, std::string_view encoded_value) {
    scratch.clear();
    AppendPercentDecoded(scratch, encoded_name, true);
    if (scratch != name) return true;
    scratch.clear();
    AppendPercentDecoded(scratch, encoded_value, true);
    found = scratch;
    return false;
  });
  return found;
}

}  // namespace weir::source
