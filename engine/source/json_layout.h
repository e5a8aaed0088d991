// One JSON text written as another program would write the same value: what happens to a body that is parsed
// and serialised again on its way. Numbers stay as they are written. Pure; for `weir explain`.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weir::source {

struct JsonLayout {
  enum class Spacing : std::uint8_t { kCompact, kSpaced, kIndentTwo, kIndentFour, kIndentTab };
  enum class Escapes : std::uint8_t {
    kAsIs,
    kNone,        // only what RFC 8259 demands
    kAscii,       // Python: \u00e9
    kAsciiSlash,  // PHP: \u00e9 and \/
    kHtml,        // Go: \u003c \u003e \u0026
  };
  Spacing spacing = Spacing::kCompact;
  bool sorted = false;  // keys of objects
  Escapes escapes = Escapes::kAsIs;
};

std::vector<JsonLayout> JsonLayouts();
std::string ToString(const JsonLayout& layout);  // "compact, keys sorted"

// nullopt when `text` is not JSON, or is nested deeper than anybody's events.
std::optional<std::string> WriteJsonAs(std::string_view text, const JsonLayout& layout);

}  // namespace weir::source
