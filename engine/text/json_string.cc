#include "engine/text/json_string.h"

#include <cstddef>
#include <cstdint>

namespace weir::text {

namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

std::uint8_t At(std::string_view text, std::size_t i) {
  return i < text.size() ? static_cast<std::uint8_t>(text[i]) : 0;
}

bool IsContinuation(std::uint8_t byte) {
  return (byte & 0xC0) == 0x80;
}

struct Sequence {
  std::size_t bytes;  // to step over: at least one
  bool valid;
};

// The well-formed sequences are table 3-7 of the Unicode standard. Of an ill-formed one, the longest start of
// a well-formed one is stepped over at once, so that it becomes one U+FFFD as browsers have it.
Sequence Utf8SequenceAt(std::string_view text, std::size_t i) {
  const std::uint8_t lead = At(text, i);
  std::uint8_t second_min = 0x80;
  std::uint8_t second_max = 0xBF;
  std::size_t length = 0;
  if (lead >= 0xC2 && lead <= 0xDF) {
    length = 2;
  } else if (lead >= 0xE0 && lead <= 0xEF) {
    length = 3;
    if (lead == 0xE0) second_min = 0xA0;  // overlong
    if (lead == 0xED) second_max = 0x9F;  // surrogates
  } else if (lead >= 0xF0 && lead <= 0xF4) {
    length = 4;
    if (lead == 0xF0) second_min = 0x90;  // overlong
    if (lead == 0xF4) second_max = 0x8F;  // past U+10FFFF
  } else {
    return {.bytes = 1, .valid = false};
  }
  const std::uint8_t second = At(text, i + 1);
  if (second < second_min || second > second_max) return {.bytes = 1, .valid = false};
  for (std::size_t k = 2; k < length; ++k) {
    if (!IsContinuation(At(text, i + k))) return {.bytes = k, .valid = false};
  }
  return {.bytes = length, .valid = true};
}

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
    const Sequence sequence = Utf8SequenceAt(text, i);
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
