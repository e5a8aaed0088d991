#include "engine/source/body_text.h"

#include <algorithm>
#include <array>
#include <cstddef>

namespace weir::source {
namespace {

constexpr std::array<std::uint32_t, 256> MakeCrcTable() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit) value = (value & 1) != 0 ? 0xedb88320u ^ (value >> 1) : value >> 1;
    table[i] = value;
  }
  return table;
}
constexpr std::array<std::uint32_t, 256> kCrcTable = MakeCrcTable();

struct CodePoint {
  std::uint32_t value;
  std::size_t bytes;  // 0: not UTF-8
};

CodePoint DecodeUtf8(std::string_view text) {
  const auto byte = [&text](std::size_t i) {
    return static_cast<std::uint32_t>(static_cast<unsigned char>(text[i]));
  };
  const std::uint32_t lead = byte(0);
  if (lead < 0x80) return {lead, 1};
  const std::size_t bytes = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc2 ? 2 : 0;
  if (bytes == 0 || lead > 0xf4 || text.size() < bytes) return {0, 0};
  std::uint32_t value = lead & (0x7fu >> bytes);
  for (std::size_t i = 1; i < bytes; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return {0, 0};
    value = value << 6 | (byte(i) & 0x3f);
  }
  return {value, bytes};
}

void AppendUnit(std::string& out, std::uint32_t unit) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  out += "\\u";
  for (int shift = 12; shift >= 0; shift -= 4) out.push_back(kDigits[(unit >> shift) & 0xf]);
}

void AppendCodePoint(std::string& out, std::uint32_t value) {
  if (value < 0x10000) {
    AppendUnit(out, value);
    return;
  }
  AppendUnit(out, 0xd800 + ((value - 0x10000) >> 10));
  AppendUnit(out, 0xdc00 + ((value - 0x10000) & 0x3ff));
}

}  // namespace

std::uint32_t Crc32(std::string_view bytes) {
  std::uint32_t crc = 0xffffffffu;
  for (const char c : bytes) crc = kCrcTable[(crc ^ static_cast<unsigned char>(c)) & 0xff] ^ (crc >> 8);
  return ~crc;
}

void AppendUnicodeEscaped(std::string& out, std::string_view body, bool slashes) {
  out.reserve(out.size() + body.size() + body.size() / 8);
  char previous = '\0';
  for (std::size_t i = 0; i < body.size();) {
    const CodePoint point = DecodeUtf8(body.substr(i));
    const char c = body[i];
    if (point.bytes == 0) {
      out.push_back(c);
      ++i;
    } else if (point.value > 0x7e) {
      AppendCodePoint(out, point.value);
      i += point.bytes;
    } else {
      if (slashes && c == '/' && previous != '\\') out.push_back('\\');
      out.push_back(c);
      ++i;
    }
    previous = c;
  }
}

void AppendHubSpotDecoded(std::string& out, std::string_view url) {
  constexpr std::array<std::pair<std::string_view, char>, 12> kDecoded = {{{"%3A", ':'},
                                                                           {"%2F", '/'},
                                                                           {"%3F", '?'},
                                                                           {"%40", '@'},
                                                                           {"%21", '!'},
                                                                           {"%24", '$'},
                                                                           {"%27", '\''},
                                                                           {"%28", '('},
                                                                           {"%29", ')'},
                                                                           {"%2A", '*'},
                                                                           {"%2C", ','},
                                                                           {"%3B", ';'}}};
  while (!url.empty()) {
    const auto found =
        std::ranges::find_if(kDecoded, [&](const auto& entry) { return url.starts_with(entry.first); });
    if (found == kDecoded.end()) {
      out.push_back(url.front());
      url.remove_prefix(1);
    } else {
      out.push_back(found->second);
      url.remove_prefix(3);
    }
  }
}

}  // namespace weir::source
