#include "engine/text/utf8.h"

namespace weir::text {

namespace {

std::uint8_t At(std::string_view text, std::size_t i) {
  return i < text.size() ? static_cast<std::uint8_t>(text[i]) : 0;
}

bool IsContinuation(std::uint8_t byte) {
  return (byte & 0xC0) == 0x80;
}

}  // namespace

Utf8Sequence Utf8SequenceAt(std::string_view text, std::size_t i) {
  const std::uint8_t lead = At(text, i);
  std::uint8_t second_min = 0x80;
  std::uint8_t second_max = 0xBF;
  std::size_t length = 0;
  if (lead < 0x80) return {.bytes = 1, .character = lead, .valid = true};
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
    return {.bytes = 1, .character = 0, .valid = false};
  }
  const std::uint8_t second = At(text, i + 1);
  if (second < second_min || second > second_max) return {.bytes = 1, .character = 0, .valid = false};
  std::uint32_t character = ((lead & (0xFFU >> (length + 1))) << 6) | (second & 0x3FU);
  for (std::size_t k = 2; k < length; ++k) {
    character = (character << 6) | (At(text, i + k) & 0x3FU);
    if (!IsContinuation(At(text, i + k))) return {.bytes = k, .character = 0, .valid = false};
  }
  return {.bytes = length, .character = character, .valid = true};
}

}  // namespace weir::text
