// How many table files RocksDB keeps open, given how many descriptors the process may open: a sixth of them. Its log,
// its manifest and what it opens for a moment come on top (engine/descriptor_budget.cc).
#pragma once

#include <algorithm>
#include <cstddef>

namespace weir::storage {

inline constexpr std::size_t kOpenFilesMin = 20;  // RocksDB takes no less
inline constexpr std::size_t kOpenFilesMax = 1024;

inline std::size_t OpenFilesFor(std::size_t descriptor_limit) {
  return std::clamp(descriptor_limit / 6, kOpenFilesMin, kOpenFilesMax);
}

}  // namespace weir::storage
