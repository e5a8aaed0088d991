#include "engine/config/captured_secret.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include <cerrno>
#include <cstdio>
#include <fstream>
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

std::string CheckOf(std::string_view secret) {
  char hex[2 * sizeof(XXH64_hash_t) + 1];
  std::snprintf(hex, sizeof hex, "%016llx",
                static_cast<unsigned long long>(XXH3_64bits(secret.data(), secret.size())));
  return hex;
}

// nullopt: there is none. One that is damaged matches nothing.
std::optional<std::string> ReadCheck(const std::filesystem::path& path) {
  std::ifstream stream(path);
  if (!stream) return std::nullopt;
  std::string check;
  std::getline(stream, check);
  return check;
}

std::expected<void, std::string> KeepCheck(const std::filesystem::path& path, std::string_view secret) {
  const std::string check = CheckOf(secret);
  if (ReadCheck(path) == check) return {};
  const Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, S_IRUSR | S_IWUSR));
  if (!file.valid()) return Failed(path, "opened");
  if (!WriteAll(file.get(), check + '\n') || ::fsync(file.get()) != 0) return Failed(path, "written");
  if (!SyncDirectory(path.parent_path())) return Failed(path.parent_path(), "synced");
  return {};
}

}  // namespace

std::filesystem::path CapturedSecretPath(const std::filesystem::path& data, std::string_view source) {
  return data / "secrets" / source;
}

std::filesystem::path CapturedCheckPath(const std::filesystem::path& data, std::string_view source) {
  return data / "secret-checks" / source;
}

std::expected<std::optional<std::string>, std::string> ReadCapturedSecret(const std::filesystem::path& data,
                                                                          std::string_view source) {
  const std::filesystem::path path = CapturedSecretPath(data, source);
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) {
    if (errno != ENOENT && errno != ENOTDIR) return Failed(path, "read");
    const std::filesystem::path check = CapturedCheckPath(data, source);
    if (!ReadCheck(check)) return std::nullopt;
    return std::unexpected(path.string() +
                           " is gone, and its sender handed it over once: put it back, or remove " +
                           check.string() + " to let whoever asks next hand over another");
  }
  auto secret = ReadSecretFile(path);
  if (!secret) return std::unexpected(path.string() + ' ' + secret.error());
  // Without one it was kept by an older build.
  const auto check = ReadCheck(CapturedCheckPath(data, source));
  if (check && *check != CheckOf(secret->value)) {
    return std::unexpected(path.string() +
                           " is not the secret that its sender handed over: put that back, or remove " +
                           "both it and " + CapturedCheckPath(data, source).string() +
                           " to let whoever asks next hand over another");
  }
  return std::move(secret->value);
}

bool IsOpenToEveryone(const std::filesystem::path& data, std::string_view source) {
  struct stat status{};
  return ::stat(CapturedSecretPath(data, source).c_str(), &status) == 0 && (status.st_mode & S_IRWXO) != 0;
}

std::expected<Capture, std::string> KeepCapturedSecret(const std::filesystem::path& data,
                                                       std::string_view source, std::string_view secret) {
  static std::mutex one_at_a_time;
  const std::scoped_lock lock(one_at_a_time);
  const std::filesystem::path path = CapturedSecretPath(data, source);
  const std::filesystem::path directory = path.parent_path();
  const std::filesystem::path checks = CapturedCheckPath(data, source).parent_path();
  for (const std::filesystem::path& needed : {directory, checks}) {
    if (::mkdir(needed.c_str(), S_IRWXU) != 0 && errno != EEXIST) return Failed(needed, "made");
  }
  if (!SyncDirectory(data)) return Failed(data, "synced");
  // A secret that was lost is not handed over anew by whoever asks first.
  if (const auto there = ReadCapturedSecret(data, source); !there) return std::unexpected(there.error());

  // No source's name begins with a dot.
  const std::filesystem::path unfinished = directory / ('.' + std::string(source) + ".new");
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
    if (*there != secret) return Capture::kTaken;
    if (auto checked = KeepCheck(CapturedCheckPath(data, source), secret); !checked)
      return std::unexpected(checked.error());
    return Capture::kKept;
  }
  if (!linked) {
    errno = fault;
    return Failed(path, "made");
  }
  if (!SyncDirectory(directory)) return Failed(directory, "synced");
  // Behind the secret: a crash in between leaves a secret without a check, and its sender, not answered, asks again.
  if (auto checked = KeepCheck(CapturedCheckPath(data, source), secret); !checked)
    return std::unexpected(checked.error());
  return Capture::kKept;
}

}  // namespace weir::config
