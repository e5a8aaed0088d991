#include "engine/io/wake.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>

namespace weir::io {

// Blocking mode: io_uring arms a poll for a read of it, but answers EAGAIN at once for a descriptor that is
// O_NONBLOCK.
EventfdWake::EventfdWake() : fd_(eventfd(0, EFD_CLOEXEC)) {}

EventfdWake::~EventfdWake() {
  if (valid()) close(fd_);
}

std::string_view EventfdWake::ShortageText() {
  return "no descriptor is left for an eventfd; raise the limit of open files (ulimit -n, LimitNOFILE=)";
}

void EventfdWake::Signal() {
  const std::uint64_t one = 1;
  // The counter is a 64-bit sum that the reader sets to zero: this write neither blocks nor comes up short.
  while (write(fd_, &one, sizeof one) < 0 && errno == EINTR) {
  }
}

}  // namespace weir::io
