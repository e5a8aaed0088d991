#include "engine/config/secret.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <optional>
#include <system_error>

#include "engine/limits.h"

namespace weir::config {
namespace {

using Resolved = std::expected<ResolvedSecret, std::string>;
using Text = std::expected<std::string, std::string>;

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

Text ReadAll(int fd) {
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

std::string ModeText(mode_t mode) {
  std::array<char, 8> text{};
  std::snprintf(text.data(), text.size(), "%04o", mode & 07777);
  return text.data();
}

// Whether the file is one that weir's user keeps, and not one that was mounted for it to read: those are
// another user's, of a file system that cannot be written, or writable for nobody.
bool CouldBeClosed(int fd, const struct stat& status) {
  struct statvfs system{};
  const bool read_only = ::fstatvfs(fd, &system) == 0 && (system.f_flag & ST_RDONLY) != 0;
  if (read_only) return false;
  if ((status.st_mode & S_IWOTH) != 0) return true;  // nor may anybody else write what weir trusts
  return status.st_uid == ::geteuid() && (status.st_mode & S_IWUSR) != 0;
}

Resolved FromEnvironment(const std::string& name, const Environment& environment) {
  if (name.empty()) return std::unexpected("names no variable");
  auto value = environment(name);
  if (!value) return std::unexpected("is not set");
  if (value->empty()) return std::unexpected("is empty");
  return ResolvedSecret{.value = *std::move(value)};
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

// "STRIPE_SECRET=whsec_…": a line of an environment file, not the value in it.
bool IsAssignment(std::string_view secret) {
  const std::size_t sign = secret.find('=');
  constexpr std::size_t kNameBytesMin = 3;
  if (sign == std::string_view::npos || sign < kNameBytesMin || sign + 1 == secret.size()) return false;
  const std::string_view name = secret.substr(0, sign);
  const bool exported = name.starts_with("export ");
  return secret[sign + 1] != '=' &&
         name.substr(exported ? 7 : 0).find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") ==
             std::string_view::npos;
}

// "${STRIPE_SECRET}", "$STRIPE_SECRET", "{{ .secret }}", "<secret>": what a template would have filled in.
bool IsPlaceholder(std::string_view secret) {
  const auto stands_between = [secret](std::string_view begin, std::string_view end) {
    return secret.starts_with(begin) && secret.ends_with(end);
  };
  const bool variable =
      secret.size() > 1 && secret.front() == '$' &&
      secret.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_", 1) == std::string_view::npos;
  return variable || stands_between("${", "}") || stands_between("$(", ")") || stands_between("{{", "}}") ||
         stands_between("<", ">") || stands_between("%", "%");
}

}  // namespace

std::expected<ResolvedSecret, std::string> ReadSecretFile(const std::filesystem::path& path) {
  const OpenFile file(path);
  if (file.fd() < 0) return std::unexpected("cannot be opened: " + ErrnoText());
  struct stat status{};
  if (::fstat(file.fd(), &status) != 0) return std::unexpected("cannot be read: " + ErrnoText());
  if (!S_ISREG(status.st_mode)) return std::unexpected("is not a regular file");
  ResolvedSecret secret{.value = {}, .file = path};
  if ((status.st_mode & S_IRWXO) != 0) {
    const std::string open = "is open to everyone (mode " + ModeText(status.st_mode) + ")";
    if (CouldBeClosed(file.fd(), status)) return std::unexpected(open + "; chmod 600 it");
    secret.warning = open + "; weir cannot change that: mount it for its user alone (mode 0400)";
  }
  auto text = ReadAll(file.fd());
  if (!text) return std::unexpected(text.error());
  DropLineEnd(*text);
  if (text->empty()) return std::unexpected("is empty");
  secret.value = *std::move(text);
  return secret;
}

std::string SuspicionAbout(std::string_view secret) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  constexpr std::string_view kBlanks = " \t";
  constexpr std::string_view kQuotes = "\"'`";
  if (secret.starts_with(kByteOrderMark)) return "begins with a byte order mark";
  if (IsPlaceholder(secret)) return "looks like a placeholder that nothing has filled in";
  if (secret.contains("-----BEGIN") || secret.starts_with('{') || secret.starts_with('[')) return {};
  if (secret.find_first_of("\r\n") != std::string_view::npos) return "holds a line end";
  if (secret.empty()) return {};
  if (kBlanks.contains(secret.front())) return "begins with white space";
  if (kBlanks.contains(secret.back())) return "ends with white space";
  if (IsAssignment(secret)) return "begins with a name and \"=\", as a line of an environment file does";
  const bool quoted =
      secret.size() > 1 && secret.front() == secret.back() && kQuotes.contains(secret.front());
  if (quoted) return "stands in quotes, which are taken as part of it";
  if (secret.find_first_not_of("\x09 !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`"
                               "abcdefghijklmnopqrstuvwxyz{|}~") != std::string_view::npos) {
    return "holds characters that no printed secret has";
  }
  if (secret.find_first_of(kBlanks) != std::string_view::npos) return "holds white space";
  return {};
}

bool IsSecretReference(std::string_view text) {
  return text.starts_with(kEnv) || text.starts_with(kFile) || text.starts_with(kCred);
}

std::expected<ResolvedSecret, std::string> ResolveSecret(std::string_view reference,
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
  if (secret) {
    if (!secret->warning.empty()) secret->warning.insert(0, std::string(reference) + ' ');
    return secret;
  }
  return std::unexpected(std::string(reference) + ' ' + secret.error());
}

}  // namespace weir::config
