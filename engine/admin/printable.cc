#include "engine/admin/printable.h"

#include <algorithm>

#include "engine/text/utf8.h"

namespace weir::admin {
namespace {

bool IsPrintable(std::uint32_t character) {
  const auto within = [character](std::uint32_t first, std::uint32_t last) {
    return character >= first && character <= last;
  };
  const bool control = character < 0x20 || within(0x7f, 0x9f);
  // Unicode 15 §23.2: joiners, marks and embeddings of direction, line and paragraph separators, the byte order mark.
  const bool formats = character == 0xad || within(0x200b, 0x200f) || within(0x2028, 0x202e) ||
                       within(0x2060, 0x206f) || character == 0xfeff || within(0xe0000, 0xe0fff);
  return !control && !formats;
}

}  // namespace

std::string Printable(std::string_view text) {
  std::string printable(text);
  std::replace_if(printable.begin(), printable.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
  return printable;
}

std::string PrintableSentence(std::string_view text) {
  std::string printable;
  for (std::size_t i = 0; i < text.size();) {
    const text::Utf8Sequence sequence = text::Utf8SequenceAt(text, i);
    if (sequence.valid && IsPrintable(sequence.character)) {
      printable.append(text.substr(i, sequence.bytes));
    } else {
      printable.append(sequence.bytes, '?');
    }
    i += sequence.bytes;
  }
  return printable;
}

}  // namespace weir::admin
