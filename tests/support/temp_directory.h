// Fresh directories for tests: one that is removed with its object, one that whoever made it removes.
#pragma once

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <system_error>

namespace weir::tests {

// In memory where there is such a place: most tests are about bytes, and a disk would only add its syncs.
inline std::filesystem::path MakeTempDirectory() {
  const std::filesystem::path memory = "/dev/shm";
  const bool writable = access(memory.c_str(), W_OK) == 0;
  std::string pattern =
      ((writable ? memory : std::filesystem::temp_directory_path()) / "weir-test-XXXXXX").string();
  return mkdtemp(pattern.data());
}

class TempDirectory {
 public:
  TempDirectory() : path_(MakeTempDirectory()) {}
  ~TempDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempDirectory(const TempDirectory&) = delete;
  TempDirectory& operator=(const TempDirectory&) = delete;
  const std::filesystem::path& path() const { return path_; }
  operator const std::filesystem::path&() const { return path_; }
  std::filesystem::path operator/(const std::filesystem::path& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

}  // namespace weir::tests
