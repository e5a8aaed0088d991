#include "storage/owner_only.h"

#include <rocksdb/env.h>
#include <rocksdb/file_system.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <system_error>

namespace weir::storage {
namespace {

constexpr mode_t kForOthers = S_IRWXG | S_IRWXO;

// The directory above is closed to others before anything is made in it, so nobody gets in between the two steps. Where
// a mode cannot be set, NarrowToOwner says so at the next start.
void Close(const std::string& path) {
  struct stat status{};
  if (::stat(path.c_str(), &status) == 0 && (status.st_mode & kForOthers) != 0)
    ::chmod(path.c_str(), status.st_mode & ~kForOthers & ALLPERMS);
}

class OwnerOnlyFiles final : public rocksdb::FileSystemWrapper {
 public:
  using rocksdb::FileSystemWrapper::FileSystemWrapper;
  const char* Name() const override { return "OwnerOnlyFiles"; }

  rocksdb::IOStatus NewWritableFile(const std::string& name, const rocksdb::FileOptions& options,
                                    std::unique_ptr<rocksdb::FSWritableFile>* file,
                                    rocksdb::IODebugContext* debug) override {
    return Closed(name, FileSystemWrapper::NewWritableFile(name, options, file, debug));
  }
  rocksdb::IOStatus ReopenWritableFile(const std::string& name, const rocksdb::FileOptions& options,
                                       std::unique_ptr<rocksdb::FSWritableFile>* file,
                                       rocksdb::IODebugContext* debug) override {
    return Closed(name, FileSystemWrapper::ReopenWritableFile(name, options, file, debug));
  }
  rocksdb::IOStatus NewRandomRWFile(const std::string& name, const rocksdb::FileOptions& options,
                                    std::unique_ptr<rocksdb::FSRandomRWFile>* file,
                                    rocksdb::IODebugContext* debug) override {
    return Closed(name, FileSystemWrapper::NewRandomRWFile(name, options, file, debug));
  }
  rocksdb::IOStatus CreateDir(const std::string& name, const rocksdb::IOOptions& options,
                              rocksdb::IODebugContext* debug) override {
    return Closed(name, FileSystemWrapper::CreateDir(name, options, debug));
  }
  rocksdb::IOStatus CreateDirIfMissing(const std::string& name, const rocksdb::IOOptions& options,
                                       rocksdb::IODebugContext* debug) override {
    return Closed(name, FileSystemWrapper::CreateDirIfMissing(name, options, debug));
  }
  rocksdb::IOStatus NewLogger(const std::string& name, const rocksdb::IOOptions& options,
                              std::shared_ptr<rocksdb::Logger>* logger,
                              rocksdb::IODebugContext* debug) override {
    return Closed(name, FileSystemWrapper::NewLogger(name, options, logger, debug));
  }
  rocksdb::IOStatus LockFile(const std::string& name, const rocksdb::IOOptions& options,
                             rocksdb::FileLock** lock, rocksdb::IODebugContext* debug) override {
    return Closed(name, FileSystemWrapper::LockFile(name, options, lock, debug));
  }

 private:
  static rocksdb::IOStatus Closed(const std::string& name, rocksdb::IOStatus made) {
    if (made.ok()) Close(name);
    return made;
  }
};

void Narrow(const std::filesystem::path& path, std::vector<std::string>& open) {
  struct stat status{};
  if (::lstat(path.c_str(), &status) != 0 || S_ISLNK(status.st_mode)) return;
  if ((status.st_mode & kForOthers) == 0) return;
  if (::chmod(path.c_str(), status.st_mode & ~kForOthers & ALLPERMS) == 0 &&
      ::lstat(path.c_str(), &status) == 0 && (status.st_mode & kForOthers) == 0) {
    return;
  }
  open.push_back(path.string() +
                 " is open to other users and cannot be closed to them: " + std::strerror(errno));
}

bool IsOurs(const std::string& name) {
  return name.starts_with("store") || name == "high-water" || name == "lock" || name == "secrets" ||
         name == "quarantine" || name == "admin.sock";
}

}  // namespace

rocksdb::Env* OwnerOnlyEnv() {
  static const std::unique_ptr<rocksdb::Env> env =
      rocksdb::NewCompositeEnv(std::make_shared<OwnerOnlyFiles>(rocksdb::FileSystem::Default()));
  return env.get();
}

std::vector<std::string> NarrowToOwner(const std::filesystem::path& directory) {
  std::vector<std::string> open;
  Narrow(directory, open);
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(directory, error)) {
    if (!IsOurs(entry.path().filename().string())) continue;
    Narrow(entry.path(), open);
    std::error_code inside;
    if (!entry.is_directory(inside)) continue;
    for (std::filesystem::recursive_directory_iterator below(entry.path(), inside), end;
         !inside && below != end; below.increment(inside)) {
      Narrow(below->path(), open);
    }
  }
  return open;
}

}  // namespace weir::storage
