#include "engine/source/encoding.h"

#include <array>

namespace weir::source {
namespace {

constexpr std::uint8_t kNone = 0xff;
constexpr std::string_view kStandard = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kUrl = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

using Table = std::array<std::uint8_t, 256>;

constexpr Table Invert(std::string_view alphabet) {
  Table table{};
  table.fill(kNone);
  for (std::size_t i = 0; i < alphabet.size(); ++i) {
    table[static_cast<unsigned char>(alphabet[i])] = static_cast<std::uint8_t>(i);
  }
  return table;
}

constexpr Table kStandardValues = Invert(kStandard);
constexpr Table kUrlValues = Invert(kUrl);
constexpr Table kLowerHexValues = Invert("0123456789abcdef");

constexpr Table AnyHexValues() {
  Table table = kLowerHexValues;
  for (unsigned char c = 'A'; c <= 'F'; ++c) table[c] = static_cast<std::uint8_t>(c - 'A' + 10);
  return table;
}
constexpr Table kAnyHexValues = AnyHexValues();

// The text without its padding. Lengths of the unpadded part: 1 mod 4 never occurs.
std::optional<std::size_t> DecodeDigits(std::string_view digits, std::span<std::uint8_t> out,
                                        const Table& values) {
  const std::size_t tail = digits.size() % 4;
  if (tail == 1) return std::nullopt;
  const std::size_t size = digits.size() / 4 * 3 + (tail == 0 ? 0 : tail - 1);
  if (size > out.size()) return std::nullopt;
  std::uint32_t bits = 0;
  unsigned held = 0;
  std::size_t written = 0;
  for (const char c : digits) {
    const std::uint8_t value = values[static_cast<unsigned char>(c)];
    if (value == kNone) return std::nullopt;
    bits = (bits << 6) | value;
    held += 6;
    if (held >= 8) {
      held -= 8;
      out[written++] = static_cast<std::uint8_t>(bits >> held);
    }
  }
  // Bits that no byte uses must be zero, or several texts would mean the same bytes.
  if ((bits & ((1u << held) - 1)) != 0) return std::nullopt;
  return written;
}

}  // namespace

std::optional<std::size_t> DecodeHex(std::string_view text, std::span<std::uint8_t> out, HexCase hex_case) {
  if (text.size() % 2 != 0 || text.size() / 2 > out.size()) return std::nullopt;
  const Table& values = hex_case == HexCase::kLower ? kLowerHexValues : kAnyHexValues;
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const std::uint8_t high = values[static_cast<unsigned char>(text[i])];
    const std::uint8_t low = values[static_cast<unsigned char>(text[i + 1])];
    if (high == kNone || low == kNone) return std::nullopt;
    out[i / 2] = static_cast<std::uint8_t>(high << 4 | low);
  }
  return text.size() / 2;
}

std::optional<std::size_t> DecodeBase64(std::string_view text, std::span<std::uint8_t> out, Base64Form form) {
  std::string_view digits = text;
  if (form != Base64Form::kUrlUnpadded) {
    if (text.size() % 4 != 0) return std::nullopt;
    for (int i = 0; i < 2 && digits.ends_with('='); ++i) digits.remove_suffix(1);
  }
  return DecodeDigits(digits, out, form == Base64Form::kPadded ? kStandardValues : kUrlValues);
}

std::optional<std::vector<std::uint8_t>> DecodeKeyBase64(std::string_view text) {
  while (text.ends_with('=')) text.remove_suffix(1);
  std::vector<std::uint8_t> out(text.size() / 4 * 3 + 3);
  const bool url = text.find_first_of("-_") != std::string_view::npos;
  const auto size = DecodeDigits(text, out, url ? kUrlValues : kStandardValues);
  if (!size) return std::nullopt;
  out.resize(*size);
  return out;
}

void AppendHex(std::string& out, std::span<const std::uint8_t> bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  for (const std::uint8_t byte : bytes) {
    out.push_back(kDigits[byte >> 4]);
    out.push_back(kDigits[byte & 0xf]);
  }
}

void AppendBase64(std::string& out, std::span<const std::uint8_t> bytes, Base64Form form) {
  const std::string_view alphabet = form == Base64Form::kPadded ? kStandard : kUrl;
  std::uint32_t bits = 0;
  unsigned held = 0;
  std::size_t written = 0;
  for (const std::uint8_t byte : bytes) {
    bits = (bits << 8) | byte;
    held += 8;
    while (held >= 6) {
      held -= 6;
      out.push_back(alphabet[(bits >> held) & 0x3f]);
      ++written;
    }
  }
  if (held > 0) {
    out.push_back(alphabet[(bits << (6 - held)) & 0x3f]);
    ++written;
  }
  if (form == Base64Form::kUrlUnpadded) return;
  for (; written % 4 != 0; ++written) out.push_back('=');
}

}  // namespace weir::source
