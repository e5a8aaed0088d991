#include "tools/output_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

namespace weir::tools {

namespace {

constexpr mode_t kMode = 0640;

// The rename itself is on disk only after its directory is.
bool SyncDirectoryOf(const std::filesystem::path& path) {
  const auto directory = path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
  const int descriptor = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return false;
  const bool synced = ::fsync(descriptor) == 0;
  ::close(descriptor);
  return synced;
}

}  // namespace

OutputFile::OutputFile(OutputFile&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)),
      is_stdout_(other.is_stdout_),
      path_(std::move(other.path_)),
      temporary_(std::move(other.temporary_)),
      inode_(other.inode_),
      bytes_(other.bytes_) {
  other.temporary_.clear();
}

OutputFile::~OutputFile() {
  if (descriptor_ < 0 || is_stdout_) return;
  ::close(descriptor_);
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

std::string OutputFile::Complaint(std::string_view doing) const {
  const int error = errno;
  return (is_stdout_ ? std::string("stdout") : path_.string()) + ": " + std::string(doing) + ": " +
         std::strerror(error);
}

OutputFile OutputFile::Stdout() {
  OutputFile file;
  file.descriptor_ = STDOUT_FILENO;
  file.is_stdout_ = true;
  return file;
}

OutputFile::Result<OutputFile> OutputFile::Replace(const std::filesystem::path& path) {
  OutputFile file;
  file.path_ = path;
  // Renaming over a device or a pipe would take it away from everybody else.
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status)) {
    return std::unexpected(path.string() + ": is not a regular file");
  }
  auto temporary = path;
  temporary += ".partial." + std::to_string(::getpid());
  file.descriptor_ = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, kMode);
  if (file.descriptor_ < 0) return std::unexpected(file.Complaint("cannot be written"));
  file.temporary_ = std::move(temporary);
  return file;
}

OutputFile::Result<OutputFile> OutputFile::Append(const std::filesystem::path& path) {
  OutputFile file;
  file.path_ = path;
  file.descriptor_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, kMode);
  if (file.descriptor_ < 0) return std::unexpected(file.Complaint("cannot be written"));
  if (::flock(file.descriptor_, LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) return std::unexpected(path.string() + ": another export writes this file");
    return std::unexpected(file.Complaint("cannot be locked"));
  }
  struct stat status{};
  if (::fstat(file.descriptor_, &status) != 0) return std::unexpected(file.Complaint("cannot be read"));
  if (!S_ISREG(status.st_mode)) return std::unexpected(path.string() + ": is not a regular file");
  if (!SyncDirectoryOf(path)) return std::unexpected(file.Complaint("its directory cannot be synced"));
  file.inode_ = status.st_ino;
  file.bytes_ = static_cast<std::uint64_t>(status.st_size);
  return file;
}

OutputFile::Result<void> OutputFile::CutBack(std::uint64_t bytes) {
  if (::ftruncate(descriptor_, static_cast<off_t>(bytes)) != 0)
    return std::unexpected(Complaint("cannot be cut back"));
  bytes_ = bytes;
  return {};
}

OutputFile::Result<void> OutputFile::Write(std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(descriptor_, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return std::unexpected(Complaint("cannot be written"));
    bytes_ += static_cast<std::uint64_t>(written);
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

OutputFile::Result<void> OutputFile::Sync() {
  // A pipe or a terminal has nothing to sync.
  if (!is_stdout_ && ::fsync(descriptor_) != 0) return std::unexpected(Complaint("cannot be synced"));
  return {};
}

OutputFile::Result<void> OutputFile::Commit() {
  if (auto synced = Sync(); !synced || temporary_.empty()) return synced;
  if (::rename(temporary_.c_str(), path_.c_str()) != 0)
    return std::unexpected(Complaint("cannot be renamed into place"));
  temporary_.clear();
  if (!SyncDirectoryOf(path_)) return std::unexpected(Complaint("its directory cannot be synced"));
  return {};
}

}  // namespace weir::tools
