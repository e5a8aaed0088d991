#include "engine/text/attribute.h"

#include <cstdint>
#include <optional>

#include "engine/text/utf8.h"

namespace weir::text {

namespace {

constexpr std::uint32_t kPlaneMask = 0xFFFF;

bool IsControl(std::uint32_t character) {
  return character < 0x20 || (character >= 0x7F && character <= 0x9F);
}

bool IsNoncharacter(std::uint32_t character) {
  return (character >= 0xFDD0 && character <= 0xFDEF) || (character & kPlaneMask) >= 0xFFFE;
}

std::optional<unsigned> HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return std::nullopt;
}

std::string Unquoted(std::string_view value) {
  if (value.size() < 2 || value.front() != '"' || value.back() != '"') return std::string(value);
  std::string text;
  const std::string_view inside = value.substr(1, value.size() - 2);
  for (std::size_t i = 0; i < inside.size(); ++i) {
    if (inside[i] == '\\' && i + 1 < inside.size()) ++i;
    text += inside[i];
  }
  return text;
}

}  // namespace

bool IsAttribute(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const Utf8Sequence sequence = Utf8SequenceAt(text, i);
    if (!sequence.valid || IsControl(sequence.character) || IsNoncharacter(sequence.character)) return false;
    i += sequence.bytes;
  }
  return true;
}

bool DecodeAttributeField(std::string_view value, std::string& out) {
  const std::string escaped = Unquoted(value);
  const std::size_t start = out.size();
  for (std::size_t i = 0; i < escaped.size(); ++i) {
    const bool room = escaped[i] == '%' && i + 2 < escaped.size();
    const auto high = room ? HexDigit(escaped[i + 1]) : std::nullopt;
    const auto low = room ? HexDigit(escaped[i + 2]) : std::nullopt;
    if (high && low) {
      out += static_cast<char>(*high << 4 | *low);
      i += 2;
    } else {
      out += escaped[i];
    }
  }
  return IsAttribute(std::string_view(out).substr(start));
}

void AppendAttributeField(std::string& out, std::string_view text) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte > 0x20 && byte < 0x7F && c != '"' && c != '%') {
      out += c;
    } else {
      out += '%';
      out += kDigits[byte >> 4];
      out += kDigits[byte & 0xF];
    }
  }
}

}  // namespace weir::text
