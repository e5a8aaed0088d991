// What stands below a list: its order, how much there is, and how much of it is not shown.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace weir::tools {

// "3 events, newest first"; "50 of 160000 events, newest first; 159950 more (--limit)". Without a total, because
// counting takes long, "50 events, newest first; there are more (--limit)".
std::string ListCaption(std::string_view noun, std::uint64_t shown, std::optional<std::uint64_t> total);

}  // namespace weir::tools
