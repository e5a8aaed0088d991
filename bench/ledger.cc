#include "bench/ledger.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace weir::bench {

std::expected<std::shared_ptr<LedgerFile>, std::string> LedgerFile::Open(const std::string& path) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (fd < 0) return std::unexpected(path + ": " + std::generic_category().message(errno));
  return std::make_shared<LedgerFile>(fd);
}

LedgerFile::~LedgerFile() {
  ::close(fd_);
}

void LedgerWriter::FlushIfDue(std::int64_t now_ns) {
  if (now_ns - flushed_ns_ < kFlushEvery_ns) return;
  flushed_ns_ = now_ns;
  static_cast<void>(Flush());
}

bool LedgerWriter::Flush() {
  std::string_view rest = buffer_;
  while (!rest.empty() && !failed_) {
    const ssize_t written = ::write(file_->fd(), rest.data(), rest.size());
    if (written >= 0) {
      rest.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno != EINTR) {
      failed_ = true;
    }
  }
  buffer_.clear();
  return !failed_;
}

}  // namespace weir::bench
