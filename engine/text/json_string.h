// JSON strings from arbitrary bytes (RFC 8259 §7). Bytes that are not UTF-8 become U+FFFD, one for each
// maximal ill-formed part, so that the result is always valid JSON. Pure.
#pragma once

#include <string>
#include <string_view>

namespace weir::text {

// The inside of a string: without quotes.
void AppendJsonEscaped(std::string& out, std::string_view text);

// The whole literal.
void AppendJsonString(std::string& out, std::string_view text);

}  // namespace weir::text
