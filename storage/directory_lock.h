// One process a data directory: an flock on a file in it, held while the store is open and released by the
// kernel when the process ends, however it ends. RocksDB has a lock of its own, but takes it too late: what
// is done in front of opening the database needs it as well.
#pragma once

#include <expected>
#include <filesystem>
#include <optional>
#include <string>

namespace weir::storage {

class DirectoryLock {
 public:
  static constexpr const char* kFileName = "lock";
  enum class Mode : bool { kShared, kExclusive };  // shared: several offline readers
  // nullopt: somebody else holds it. An error: the file cannot be made.
  static std::expected<std::optional<DirectoryLock>, std::string> Take(const std::filesystem::path& directory,
                                                                       Mode mode);

  DirectoryLock(DirectoryLock&& other) noexcept;
  DirectoryLock& operator=(DirectoryLock&& other) noexcept;
  ~DirectoryLock();

 private:
  explicit DirectoryLock(int fd) : fd_(fd) {}
  int fd_;
};

}  // namespace weir::storage
