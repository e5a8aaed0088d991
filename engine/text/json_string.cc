#include "engine/text/json_string.h"

#include <cstddef>
#include <cstdint>

#include "engine/text/utf8.h"

namespace weir::text {

namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

void AppendEscapedAscii(std::string& out, char byte) {
  switch (byte) {
    case '"':
      out.append("\\\"");
      return;
    case '\\':
      out.append("\\\\");
      return;
    case '\b':
      out.append("\\b");
      return;
    case '\f':
      out.append("\\f");
      return;
    case '\n':
      out.append("\\n");
      return;
    case '\r':
      out.append("\\r");
      return;
    case '\t':
      out.append("\\t");
      return;
    default:
      break;
  }
  constexpr std::string_view kHexDigits = "0123456789abcdef";
  const auto code = static_cast<std::uint8_t>(byte);
  out.append("\\u00");
  out.push_back(kHexDigits[code >> 4]);
  out.push_back(kHexDigits[code & 0xF]);
}

// DEL is legal in JSON but moves a terminal's cursor, so it is escaped with the other control characters.
bool IsPlain(char byte) {
  const auto code = static_cast<std::uint8_t>(byte);
  return code >= 0x20 && code < 0x7F && byte != '"' && byte != '\\';
}

}  // namespace

void AppendJsonEscaped(std::string& out, std::string_view text) {
  std::size_t i = 0;
  while (i < text.size()) {
    std::size_t plain_end = i;
    while (plain_end < text.size() && IsPlain(text[plain_end])) ++plain_end;
    out.append(text.substr(i, plain_end - i));
    i = plain_end;
    if (i == text.size()) return;
    if (static_cast<std::uint8_t>(text[i]) < 0x80) {
      AppendEscapedAscii(out, text[i]);
      ++i;
      continue;
    }
    const Utf8Sequence sequence = Utf8SequenceAt(text, i);
    out.append(sequence.valid ? text.substr(i, sequence.bytes) : kReplacement);
    i += sequence.bytes;
  }
}

void AppendJsonString(std::string& out, std::string_view text) {
  out += '"';
  AppendJsonEscaped(out, text);
  out += '"';
}

}  // namespace weir::text
