// One JSON string literal from arbitrary bytes.
#pragma once

#include <string>
#include <string_view>

namespace weir::observe {

// Appends `text` quoted and escaped (RFC 8259 §7). Bytes that are not UTF-8 become U+FFFD, one for each
// maximal ill-formed part, so that the result is always valid JSON.
void AppendJsonString(std::string& out, std::string_view text);

}  // namespace weir::observe
