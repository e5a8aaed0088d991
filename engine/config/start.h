// Where a sink begins that the store has not seen, as the configuration says it. Pure.
#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "engine/config/config.h"

namespace weir::config {

// "now", "beginning", RFC 3339, "-2h".
std::expected<Start, std::string> ParseStart(std::string_view text);
std::string FormatStart(const Start& start);

}  // namespace weir::config
