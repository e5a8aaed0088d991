// UTF-8, one sequence at a time (the well-formed ones are table 3-7 of the Unicode standard). Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace weir::text {

struct Utf8Sequence {
  std::size_t bytes;        // to step over: at least one
  std::uint32_t character;  // the code point; meaningless when not valid
  bool valid;
};

// Of an ill-formed sequence, the longest start of a well-formed one is stepped over at once, so that it
// becomes one U+FFFD as browsers have it. REQUIRES: i < text.size().
Utf8Sequence Utf8SequenceAt(std::string_view text, std::size_t i);

}  // namespace weir::text
