// The sender's own header fields, as they were kept with the event ("Name: value\r\n" each). Pure.
#pragma once

#include <functional>
#include <optional>
#include <string_view>

namespace weir::sink {

// Calls `visit` with name and trimmed value of each field, in their order, without those whose value is empty
// or holds a byte that no header value may carry on (control characters).
void ForEachKeptHeader(std::string_view headers,
                       const std::function<void(std::string_view name, std::string_view value)>& visit);

// The trimmed value of the first field named `name` (ASCII case ignored), or nullopt when there is none or
// when it holds a byte that no header value may carry on (control characters).
std::optional<std::string_view> KeptHeader(std::string_view headers, std::string_view name);

}  // namespace weir::sink
