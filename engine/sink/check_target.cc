#include "engine/sink/check_target.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <filesystem>
#include <utility>

#include "engine/config/file_place.h"
#include "engine/http/url.h"
#include "engine/io/socket.h"
#include "engine/io/system_error.h"
#include "engine/sink/webhook_signer.h"
#include "storage/check.h"
#include "storage/disk.h"

namespace weir::sink {

namespace {

using Checked = std::expected<void, std::string>;

std::unexpected<std::string> Fail(std::string_view call, const std::filesystem::path& path, int error) {
  return std::unexpected(io::DescribeError(std::string(call) + ' ' + path.string(), error));
}

Checked CheckFile(const config::Sink& config) {
  const std::filesystem::path& path = config.path;
  const io::Descriptor file(::open(path.c_str(), O_RDWR | O_APPEND | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (!file.valid() && errno == ENOENT) {
    const auto allowed = storage::MachineDisk()->MayUse(config::PlaceOf(path).parent_path(), true);
    if (!allowed) return std::unexpected(allowed.error().message);
    return {};
  }
  if (!file.valid()) return Fail("open", path, errno);
  struct stat status{};
  if (::fstat(file.get(), &status) != 0) return Fail("stat", path, errno);
  if (!S_ISREG(status.st_mode)) return std::unexpected(path.string() + " is not a regular file");
  // Its directory is opened for the sync that makes its name durable.
  const auto directory = path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
  if (::faccessat(AT_FDCWD, directory.c_str(), R_OK | X_OK, AT_EACCESS) != 0)
    return Fail("open", directory, errno);
  return {};
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
