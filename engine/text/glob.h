// The patterns that name types and header fields. Pure.
#pragma once

#include <string_view>

namespace weir::text {

// '*' matches any run of characters, dots included; everything else matches itself.
bool GlobMatches(std::string_view pattern, std::string_view text);

}  // namespace weir::text
