// Strings as CloudEvents 1.0.2 allows them for its attributes, and as its HTTP binding writes them into header
// fields. Pure.
#pragma once

#include <string>
#include <string_view>

namespace weir::text {

// UTF-8 without control characters (U+0000 to U+001F, U+007F to U+009F) and noncharacters: the type String,
// CloudEvents 1.0.2, "Type System".
bool IsAttribute(std::string_view text);

// Appends the text of a field value (HTTP binding 1.0.2 §3.1.3.2): a quoted string unquoted, then percent
// escapes decoded, once; a '%' without two hexadecimal digits stands for itself. False, and `out` is not to
// be used, when the result is no attribute.
bool DecodeAttributeField(std::string_view value, std::string& out);

// The other way: everything is escaped that is not printable ASCII, and space, '"' and '%'. Whatever a sender
// put into an id cannot end the field or start another.
void AppendAttributeField(std::string& out, std::string_view text);

}  // namespace weir::text
