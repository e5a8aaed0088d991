// engine/source/kinds/*.toml as the build put them into the program.
#pragma once

#include <span>
#include <string_view>

namespace weir::source {

struct EmbeddedKind {
  std::string_view name;
  std::string_view toml;
};

std::span<const EmbeddedKind> EmbeddedKinds();  // sorted by name

}  // namespace weir::source
