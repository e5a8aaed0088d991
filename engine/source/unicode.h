// Unicode normalisation of secrets, which one sender does before it signs (EasyPost).
#pragma once

#include <string>
#include <string_view>

namespace weir::source {

// NFKD (UAX #15). Text that is not UTF-8 comes back unchanged.
std::string Nfkd(std::string_view text);

}  // namespace weir::source
