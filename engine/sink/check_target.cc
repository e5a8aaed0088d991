#include "engine/sink/check_target.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <cerrno>
#include <filesystem>
#include <utility>

#include "engine/http/url.h"
#include "engine/io/socket.h"
#include "engine/io/system_error.h"
#include "engine/sink/webhook_signer.h"
#include "storage/check.h"

namespace weir::sink {

namespace {

using Checked = std::expected<void, std::string>;

std::unexpected<std::string> Fail(std::string_view call, const std::filesystem::path& path, int error) {
  return std::unexpected(io::DescribeError(std::string(call) + ' ' + path.string(), error));
}

// The kernel's windows look like writable directories to root, and take no file.
bool TakesNoFiles(int directory) {
  struct statfs status{};
  if (::fstatfs(directory, &status) != 0) return false;
  const auto type = static_cast<unsigned long>(status.f_type);
  return type == PROC_SUPER_MAGIC || type == SYSFS_MAGIC || type == CGROUP_SUPER_MAGIC ||
         type == CGROUP2_SUPER_MAGIC;
}

// A file without a name shows whether one could be made; where the file system has none of those, the directory's
// permissions have to do.
Checked CheckDirectory(const std::filesystem::path& directory) {
  const io::Descriptor opened(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!opened.valid()) return Fail("open", directory, errno);
  const io::Descriptor unnamed(::open(directory.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  if (unnamed.valid()) return {};
  const int error = errno;
  if (error != EOPNOTSUPP && error != EISDIR) return Fail("create a file in", directory, error);
  if (TakesNoFiles(opened.get())) return Fail("create a file in", directory, EPERM);
  if (::faccessat(AT_FDCWD, directory.c_str(), W_OK | X_OK, AT_EACCESS) != 0) {
    return Fail("create a file in", directory, errno);
  }
  return {};
}

Checked CheckFile(const config::Sink& config) {
  const std::filesystem::path& path = config.path;
  const auto directory = path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
  const io::Descriptor file(::open(path.c_str(), O_RDWR | O_APPEND | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (!file.valid() && errno != ENOENT) return Fail("open", path, errno);
  if (file.valid()) {
    struct stat status{};
    if (::fstat(file.get(), &status) != 0) return Fail("stat", path, errno);
    if (!S_ISREG(status.st_mode)) return std::unexpected(path.string() + " is not a regular file");
  }
  return CheckDirectory(directory);
}

Checked CheckHttp(const config::Sink& config) {
  if (const auto url = http::ParseUrl(config.url); !url) return std::unexpected("url: " + url.error());
  if (config.secrets.empty()) return {};
  if (const auto keyed = WebhookSigner::Create(config.secrets.front()); !keyed) {
    return std::unexpected(keyed.error());
  }
  return {};
}

}  // namespace

Checked CheckTarget(const config::Sink& config) {
  switch (config.kind) {
    case config::SinkKind::kHttp:
      return CheckHttp(config);
    case config::SinkKind::kFile:
      return CheckFile(config);
  }
  WEIR_CHECK(false);
}

}  // namespace weir::sink
