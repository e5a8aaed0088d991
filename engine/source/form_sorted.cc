#include "engine/source/form_sorted.h"

#include <algorithm>
#include <vector>

#include "engine/limits.h"
#include "engine/source/form.h"

namespace weir::source {
namespace {

// UTF-8 sorts by code point. UTF-16 differs only in that surrogates (lead bytes f0..f4) come before
// U+E000..U+FFFF (lead bytes ee, ef).
unsigned Utf16Rank(char c) {
  const unsigned byte = static_cast<unsigned char>(c);
  return byte == 0xee || byte == 0xef ? byte + 0x10 : byte;
}

bool Utf16Less(const std::string& a, const std::string& b) {
  return std::ranges::lexicographical_compare(a, b, {}, Utf16Rank, Utf16Rank);
}

}  // namespace

void AppendFormSorted(std::string& out, std::string_view form) {
  std::vector<FormPair> pairs;
  ParseForm(form, pairs, limits::kFormPairsMax);
  std::ranges::sort(pairs, [](const FormPair& a, const FormPair& b) {
    return a.name != b.name ? Utf16Less(a.name, b.name) : Utf16Less(a.value, b.value);
  });
  const auto repeated = std::ranges::unique(
      pairs, [](const FormPair& a, const FormPair& b) { return a.name == b.name && a.value == b.value; });
  pairs.erase(repeated.begin(), repeated.end());
  for (const FormPair& pair : pairs) out.append(pair.name).append(pair.value);
}

}  // namespace weir::source
