// "Did you mean": the known word nearest to an unknown one. Pure.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace weir::config {

// Empty when nothing is near: more than a third of the letters would have to change.
std::string_view Nearest(std::string_view word, std::span<const std::string> known);

}  // namespace weir::config
