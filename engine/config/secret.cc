#include "engine/config/secret.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <system_error>

#include "engine/limits.h"

namespace weir::config {
namespace {

using Resolved = std::expected<std::string, std::string>;

constexpr std::string_view kEnv = "env:";
constexpr std::string_view kFile = "file:";
constexpr std::string_view kCred = "cred:";

std::string ErrnoText() {
  return std::system_category().message(errno);
}

class OpenFile {
 public:
  // O_NONBLOCK: a FIFO without a writer must be an error, not a start that hangs.
  explicit OpenFile(const std::filesystem::path& path)
      : fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {}
  ~OpenFile() {
    if (fd_ >= 0) ::close(fd_);
  }
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  int fd() const { return fd_; }

 private:
  int fd_;
};

Resolved ReadAll(int fd) {
  std::string text;
  std::array<char, 4096> chunk;
  for (;;) {
    const ssize_t got = ::read(fd, chunk.data(), chunk.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return std::unexpected("cannot be read: " + ErrnoText());
    if (got == 0) return text;
    text.append(chunk.data(), static_cast<std::size_t>(got));
    if (text.size() > limits::kSecretBytesMax) {
      return std::unexpected("is larger than " + std::to_string(limits::kSecretBytesMax) + " bytes");
    }
  }
}

void DropLineEnd(std::string& text) {
  if (text.ends_with('\n')) text.pop_back();
  if (text.ends_with('\r')) text.pop_back();
}

Resolved FromEnvironment(const std::string& name, const Environment& environment) {
  if (name.empty()) return std::unexpected("names no variable");
  auto value = environment(name);
  if (!value) return std::unexpected("is not set");
  if (value->empty()) return std::unexpected("is empty");
  return *value;
}

Resolved FromFile(const std::string& name, const std::filesystem::path& directory) {
  if (name.empty()) return std::unexpected("names no file");
  return ReadSecretFile(directory / name);
}

Resolved FromCredential(const std::string& name, const Environment& environment) {
  if (name.empty() || name == "." || name == ".." || name.find('/') != std::string::npos) {
    return std::unexpected("is not the name of a credential");
  }
  const auto directory = environment("CREDENTIALS_DIRECTORY");
  if (!directory || directory->empty()) {
    return std::unexpected("needs $CREDENTIALS_DIRECTORY, which systemd sets with LoadCredential=");
  }
  return ReadSecretFile(std::filesystem::path(*directory) / name);
}

}  // namespace

std::expected<std::string, std::string> ReadSecretFile(const std::filesystem::path& path) {
  const OpenFile file(path);
  if (file.fd() < 0) return std::unexpected("cannot be opened: " + ErrnoText());
  struct stat status{};
  if (::fstat(file.fd(), &status) != 0) return std::unexpected("cannot be read: " + ErrnoText());
  if (!S_ISREG(status.st_mode)) return std::unexpected("is not a regular file");
  if ((status.st_mode & S_IRWXO) != 0) {
    std::array<char, 8> mode{};
    std::snprintf(mode.data(), mode.size(), "%04o", status.st_mode & 07777);
    return std::unexpected("is open to everyone (mode " + std::string(mode.data()) + "); chmod 600 it");
  }
  auto text = ReadAll(file.fd());
  if (text) DropLineEnd(*text);
  if (text && text->empty()) return std::unexpected("is empty");
  return text;
}

bool IsSecretReference(std::string_view text) {
  return text.starts_with(kEnv) || text.starts_with(kFile) || text.starts_with(kCred);
}

std::expected<std::string, std::string> ResolveSecret(std::string_view reference,
                                                      const std::filesystem::path& directory,
                                                      const Environment& environment) {
  const std::string name(reference.substr(reference.find(':') + 1));
  Resolved secret;
  if (name.find('\0') != std::string::npos) {
    secret = std::unexpected("contains a NUL");
  } else if (reference.starts_with(kEnv)) {
    secret = FromEnvironment(name, environment);
  } else if (reference.starts_with(kFile)) {
    secret = FromFile(name, directory);
  } else {
    secret = FromCredential(name, environment);
  }
  if (secret) return secret;
  return std::unexpected(std::string(reference) + ' ' + secret.error());
}

}  // namespace weir::config
