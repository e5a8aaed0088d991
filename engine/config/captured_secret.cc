#include "engine/config/captured_secret.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <mutex>
#include <system_error>

#include "engine/config/secret.h"

namespace weir::config {
namespace {

std::unexpected<std::string> Failed(const std::filesystem::path& path, std::string_view what) {
  return std::unexpected(path.string() + " cannot be " + std::string(what) + ": " +
                         std::system_category().message(errno));
}

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  bool valid() const { return fd_ >= 0; }
  int get() const { return fd_; }

 private:
  int fd_;
};

bool WriteAll(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

bool SyncDirectory(const std::filesystem::path& directory) {
  const Descriptor opened(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  return opened.valid() && ::fsync(opened.get()) == 0;
}

}  // namespace

std::filesystem::path CapturedSecretPath(const std::filesystem::path& data, std::string_view source) {
  return data / "secrets" / source;
}

std::expected<std::optional<std::string>, std::string> ReadCapturedSecret(const std::filesystem::path& data,
                                                                          std::string_view source) {
  const std::filesystem::path path = CapturedSecretPath(data, source);
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) {
    if (errno == ENOENT || errno == ENOTDIR) return std::nullopt;
    return Failed(path, "read");
  }
  auto secret = ReadSecretFile(path);
  if (!secret) return std::unexpected(path.string() + ' ' + secret.error());
  return std::move(secret->value);
}

std::expected<Capture, std::string> KeepCapturedSecret(const std::filesystem::path& data,
                                                       std::string_view source, std::string_view secret) {
  static std::mutex one_at_a_time;
  const std::scoped_lock lock(one_at_a_time);
  const std::filesystem::path path = CapturedSecretPath(data, source);
  const std::filesystem::path directory = path.parent_path();
  if (::mkdir(directory.c_str(), S_IRWXU) != 0 && errno != EEXIST) return Failed(directory, "made");
  if (!SyncDirectory(data)) return Failed(data, "synced");

  // No source's name begins with a dot.
  const std::filesystem::path unfinished = directory / ('.' + std::string(source));
  ::unlink(unfinished.c_str());  // a crash may have left one
  {
    const Descriptor file(
        ::open(unfinished.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR));
    if (!file.valid()) return Failed(unfinished, "opened");
    if (!WriteAll(file.get(), secret) || ::fsync(file.get()) != 0) return Failed(unfinished, "written");
  }
  // Unlike a rename, a link does not replace what is there.
  const bool linked = ::link(unfinished.c_str(), path.c_str()) == 0;
  const int fault = linked ? 0 : errno;
  ::unlink(unfinished.c_str());
  if (fault == EEXIST) {
    const auto there = ReadCapturedSecret(data, source);
    if (!there) return std::unexpected(there.error());
    // The sender did not hear the first answer and asks again.
    return *there == secret ? Capture::kKept : Capture::kTaken;
  }
  if (!linked) {
    errno = fault;
    return Failed(path, "made");
  }
  if (!SyncDirectory(directory)) return Failed(directory, "synced");
  return Capture::kKept;
}

}  // namespace weir::config
