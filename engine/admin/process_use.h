// What the process costs the machine, from /proc/self.
#pragma once

#include <cstdint>
#include <filesystem>

namespace weir::admin {

struct ProcessUse {
  double cpu_seconds = 0;
  std::uint64_t resident_bytes = 0;
  std::uint64_t open_descriptors = 0;
};

// Zeros for what cannot be read.
ProcessUse ReadProcessUse();

// Free bytes an unprivileged process may still write on the disk that holds `directory`; 0 when it cannot be
// read.
std::uint64_t DiskFreeBytes(const std::filesystem::path& directory);

}  // namespace weir::admin
