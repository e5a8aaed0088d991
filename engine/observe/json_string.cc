#include "engine/observe/json_string.h"

#include <cstddef>
#include <cstdint>

namespace weir::observe {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

unsigned Byte(std::string_view text, std::size_t at) {
  return static_cast<unsigned char>(text[at]);
}

struct Scalar {
  std::size_t length;  // bytes of the well-formed scalar, or of the ill-formed part to replace
  bool well_formed;
};

// Unicode 15, table 3-7: the second byte's range depends on the first; the rest are 80..BF.
Scalar ScanScalar(std::string_view text, std::size_t at) {
  const unsigned lead = Byte(text, at);
  std::size_t length = 0;
  unsigned low = 0x80;
  unsigned high = 0xBF;
  if (lead >= 0xC2 && lead <= 0xDF) {
    length = 2;
  } else if (lead >= 0xE0 && lead <= 0xEF) {
    length = 3;
    if (lead == 0xE0) low = 0xA0;
    if (lead == 0xED) high = 0x9F;
  } else if (lead >= 0xF0 && lead <= 0xF4) {
    length = 4;
    if (lead == 0xF0) low = 0x90;
    if (lead == 0xF4) high = 0x8F;
  } else {
    return {.length = 1, .well_formed = lead < 0x80};
  }
  for (std::size_t i = 1; i < length; ++i) {
    if (at + i >= text.size()) return {.length = i, .well_formed = false};
    const unsigned next = Byte(text, at + i);
    if (next < low || next > high) return {.length = i, .well_formed = false};
    low = 0x80;
    high = 0xBF;
  }
  return {.length = length, .well_formed = true};
}

void AppendEscape(std::string& out, unsigned byte) {
  static constexpr char kHex[] = "0123456789abcdef";
  switch (byte) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      out += "\\u00";
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
  }
}

bool NeedsEscape(unsigned byte) {
  return byte < 0x20 || byte == '"' || byte == '\\' || byte == 0x7F;
}

}  // namespace

void AppendJsonString(std::string& out, std::string_view text) {
  out += '"';
  std::size_t at = 0;
  while (at < text.size()) {
    if (NeedsEscape(Byte(text, at))) {
      AppendEscape(out, Byte(text, at));
      ++at;
      continue;
    }
    const Scalar scalar = ScanScalar(text, at);
    out += scalar.well_formed ? text.substr(at, scalar.length) : kReplacement;
    at += scalar.length;
  }
  out += '"';
}

}  // namespace weir::observe
