// Form parameters sorted by name, name and value run together (Twilio).
//
// Internal to engine/source.
#pragma once

#include <string>
#include <string_view>

namespace weir::source {

// Names in UTF-16 code unit order; of a repeated name the different values, sorted, each with the name before
// it.
void AppendFormSorted(std::string& out, std::string_view form);

}  // namespace weir::source
