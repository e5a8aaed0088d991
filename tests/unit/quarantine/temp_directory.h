#pragma once

#include <filesystem>

#include "tests/support/temp_directory.h"

namespace weir::quarantine {

class TempDirectory {
 public:
  TempDirectory() : path_(support::MakeTempDirectory()) {}
  ~TempDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempDirectory(const TempDirectory&) = delete;
  TempDirectory& operator=(const TempDirectory&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace weir::quarantine
