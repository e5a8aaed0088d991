// Names of sources and sinks: letters, digits, '-', '_' and '.', beginning with a letter or digit, so that
// they stand in a URL path, a metric label and a file name as they are.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "engine/config/table_reader.h"

namespace weir::config {

bool IsName(std::string_view text);

// Reads the required key "name" and checks that none of `taken` has it. nullopt when there is no usable name;
// the reason has been reported.
std::optional<std::string> ReadName(TableReader& reader, std::size_t bytes_max,
                                    const std::vector<std::string>& taken);

}  // namespace weir::config
