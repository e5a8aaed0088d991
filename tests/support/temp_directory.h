// A fresh directory for a test, removed by whoever made it.
#pragma once

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>

namespace weir::support {

// In memory where there is such a place: most tests are about bytes, and a disk would only add its syncs.
inline std::filesystem::path MakeTempDirectory() {
  const std::filesystem::path memory = "/dev/shm";
  const bool writable = access(memory.c_str(), W_OK) == 0;
  std::string pattern =
      ((writable ? memory : std::filesystem::temp_directory_path()) / "weir-test-XXXXXX").string();
  return mkdtemp(pattern.data());
}

}  // namespace weir::support
