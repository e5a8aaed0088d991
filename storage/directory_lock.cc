#include "storage/directory_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace weir::storage {

std::expected<std::optional<DirectoryLock>, std::string> DirectoryLock::Take(
    const std::filesystem::path& directory, Mode mode) {
  const std::filesystem::path file = directory / kFileName;
  // A reader may hold the directory read-only; flock needs no write access.
  int fd = open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0 && mode == Mode::kShared) fd = open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return std::unexpected("cannot open " + file.string() + ": " + std::strerror(errno));
  DirectoryLock lock(fd);
  if (flock(fd, (mode == Mode::kExclusive ? LOCK_EX : LOCK_SH) | LOCK_NB) == 0) return lock;
  if (errno == EWOULDBLOCK) return std::nullopt;
  return std::unexpected("cannot lock " + file.string() + ": " + std::strerror(errno));
}

DirectoryLock::DirectoryLock(DirectoryLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

DirectoryLock& DirectoryLock::operator=(DirectoryLock&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

DirectoryLock::~DirectoryLock() {
  if (fd_ >= 0) close(fd_);
}

}  // namespace weir::storage
