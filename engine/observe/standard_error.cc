#include "engine/observe/standard_error.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <climits>
#include <cstring>
#include <system_error>

namespace weir::observe {
namespace {

// How often a write that waits asks whether it is to give up.
constexpr std::int64_t kSliceMs = 50;

std::int64_t NowMs() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

// A pipe that poll calls writable takes PIPE_BUF bytes without blocking (pipe(7)). Its O_NONBLOCK is not ours to
// set: the description is shared with whoever started us. A socket can be told call by call.
ssize_t WriteSome(std::string_view bytes) {
  const ssize_t sent = ::send(STDERR_FILENO, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent >= 0 || errno != ENOTSOCK) return sent;
  return ::write(STDERR_FILENO, bytes.data(), std::min<std::size_t>(bytes.size(), PIPE_BUF));
}

}  // namespace

StandardError::StandardError() {
  struct stat status{};
  if (::fstat(STDERR_FILENO, &status) != 0 || !S_ISREG(status.st_mode)) return;
  std::error_code error;
  file_ = std::filesystem::read_symlink("/proc/self/fd/2", error);
  if (error || !std::filesystem::exists(file_, error)) file_.clear();  // deleted already: no name leads to it
}

bool StandardError::Write(std::string_view bytes, std::int64_t wait_ms) {
  const std::int64_t until_ms = NowMs() + wait_ms;
  while (!bytes.empty()) {
    const std::int64_t left_ms = given_up_.load(std::memory_order_relaxed) ? 0 : until_ms - NowMs();
    pollfd ready{.fd = STDERR_FILENO, .events = POLLOUT, .revents = 0};
    const int count = ::poll(&ready, 1, static_cast<int>(std::clamp<std::int64_t>(left_ms, 0, kSliceMs)));
    if (count < 0 && errno != EINTR) return false;
    if (count > 0 && (ready.revents & POLLOUT) == 0)
      return false;  // nobody reads it any more, or it is closed
    if (count <= 0) {
      if (left_ms <= 0) return false;
      continue;
    }
    const ssize_t written = WriteSome(bytes);
    if (written > 0) {
      bytes.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno != EINTR && errno != EAGAIN) {
      return false;
    }
  }
  return true;
}

std::string StandardError::Reopen() {
  if (file_.empty()) return {};
  const int fd = ::open(file_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK, 0640);
  if (fd < 0) return file_.string() + ": " + std::strerror(errno);
  // A pipe in the file's place: nobody may wait for its reader.
  struct stat status{};
  if (::fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) {
    ::close(fd);
    return file_.string() + ": is no regular file any more";
  }
  const bool moved = ::dup2(fd, STDERR_FILENO) >= 0;
  const int error = errno;
  ::close(fd);
  return moved ? std::string() : file_.string() + ": " + std::strerror(error);
}

}  // namespace weir::observe
