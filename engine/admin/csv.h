// Comma-separated values (RFC 4180).
#pragma once

#include <string>
#include <string_view>

namespace weir::admin {

// Appends one field, quoted when it holds a comma, a quote, a line break or a space at either end.
void AppendCsvField(std::string& out, std::string_view field);

}  // namespace weir::admin
