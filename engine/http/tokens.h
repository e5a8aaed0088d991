// The small terminals of HTTP and URI grammar: characters (one table look-up each), whitespace, numbers.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace weir::http {

namespace detail {

inline constexpr std::uint8_t kTokenChar = 1;    // RFC 9110 §5.6.2 tchar
inline constexpr std::uint8_t kRegNameChar = 2;  // RFC 3986 §3.2.2 reg-name, '%' aside
inline constexpr std::uint8_t kValueChar = 4;    // RFC 9110 §5.5 field-vchar, SP and HTAB
inline constexpr std::uint8_t kVisibleChar = 8;  // 0x21..0x7e
inline constexpr std::uint8_t kHexDigit = 16;

consteval std::array<std::uint8_t, 256> CharacterClasses() {
  std::array<std::uint8_t, 256> table{};
  auto add = [&table](std::string_view bytes, std::uint8_t bit) {
    for (char byte : bytes) table[static_cast<std::uint8_t>(byte)] |= bit;
  };
  constexpr std::string_view kAlphanumeric = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
  add(kAlphanumeric, kTokenChar | kRegNameChar);
  add("!#$%&'*+-.^_`|~", kTokenChar);
  add("-._~!$&'()*+,;=", kRegNameChar);
  add("0123456789abcdefABCDEF", kHexDigit);
  for (unsigned byte = 0x20; byte < 0x100; ++byte) {
    if (byte != 0x7f) table[byte] |= kValueChar;
    if (byte > 0x20 && byte < 0x7f) table[byte] |= kVisibleChar;
  }
  table['\t'] |= kValueChar;
  return table;
}

inline constexpr std::array<std::uint8_t, 256> kClasses = CharacterClasses();

constexpr bool Is(char byte, std::uint8_t bit) {
  return (kClasses[static_cast<std::uint8_t>(byte)] & bit) != 0;
}

}  // namespace detail

constexpr bool IsTokenChar(char byte) {
  return detail::Is(byte, detail::kTokenChar);
}
constexpr bool IsRegNameChar(char byte) {
  return detail::Is(byte, detail::kRegNameChar);
}
constexpr bool IsValueChar(char byte) {
  return detail::Is(byte, detail::kValueChar);
}
constexpr bool IsVisibleChar(char byte) {
  return detail::Is(byte, detail::kVisibleChar);
}
constexpr bool IsHexDigit(char byte) {
  return detail::Is(byte, detail::kHexDigit);
}
// Of a hex digit.
constexpr unsigned HexValue(char digit) {
  return static_cast<unsigned>(digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10);
}
constexpr bool IsDigit(char byte) {
  return byte >= '0' && byte <= '9';
}
constexpr bool IsWhitespace(char byte) {
  return byte == ' ' || byte == '\t';
}
constexpr char ToLower(char byte) {
  return byte >= 'A' && byte <= 'Z' ? static_cast<char>(byte - 'A' + 'a') : byte;
}

// OWS (RFC 9110 §5.6.3) off both ends.
constexpr std::string_view TrimWhitespace(std::string_view text) {
  while (!text.empty() && IsWhitespace(text.front())) text.remove_prefix(1);
  while (!text.empty() && IsWhitespace(text.back())) text.remove_suffix(1);
  return text;
}

// 1*DIGIT that fits into 64 bits, and nothing else.
constexpr std::optional<std::uint64_t> ParseDecimal(std::string_view text) {
  if (text.empty()) return std::nullopt;
  std::uint64_t value = 0;
  for (const char byte : text) {
    const auto digit = static_cast<std::uint64_t>(byte - '0');
    if (!IsDigit(byte) || value > (UINT64_MAX - digit) / 10) return std::nullopt;
    value = value * 10 + digit;
  }
  return value;
}

}  // namespace weir::http
