// The sender's own header fields, as they were kept with the event ("Name: value\r\n" each). Pure.
#pragma once

#include <optional>
#include <string_view>

namespace weir::sink {

// The trimmed value of the first field named `name` (ASCII case ignored), or nullopt when there is none or
// when it holds a byte that no header value may carry on (control characters).
std::optional<std::string_view> KeptHeader(std::string_view headers, std::string_view name);

}  // namespace weir::sink
