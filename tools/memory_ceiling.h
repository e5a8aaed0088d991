// The most memory a configuration can make the server use, part by part: the sum of its bounds. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/config/config.h"

namespace weir::tools {

struct MemoryPart {
  std::string name;
  std::uint64_t bytes;
};

std::vector<MemoryPart> MemoryCeiling(const config::Config& config);
std::uint64_t Total(const std::vector<MemoryPart>& parts);

}  // namespace weir::tools
