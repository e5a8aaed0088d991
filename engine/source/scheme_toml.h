// TOML -> Scheme, for [source.scheme] and for the embedded kinds. toml++ stays inside .cc files: this header
// only names its table.
#pragma once

#include <expected>
#include <memory>
#include <string>
#include <vector>

#include "engine/source/scheme.h"

namespace toml {
inline namespace v3 {
class table;
}
}  // namespace toml

namespace weir::source {

struct SchemeError {
  unsigned line = 0;    // 1-based, of the document the table was parsed from
  unsigned column = 0;  // of the mistake itself: inside a template, of the character
  std::string key;      // relative to the table: "signature.encoding"
  std::string reason;   // what is wrong, and which values are right
};

// Every mistake in the table, not only the first.
std::expected<std::shared_ptr<const Scheme>, std::vector<SchemeError>> CompileScheme(
    const toml::table& table);

}  // namespace weir::source
