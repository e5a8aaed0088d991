#include "engine/sink/wait_for_wake.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <limits>

namespace weir::sink {

void WaitForWake(io::EventfdWake& wake, std::int64_t timeout_ms) {
  pollfd ready{.fd = wake.fd(), .events = POLLIN, .revents = 0};
  const auto timeout = std::clamp<std::int64_t>(timeout_ms, 0, std::numeric_limits<int>::max());
  // A signal or an error looks like an early wake, which every caller has to expect anyway.
  if (poll(&ready, 1, static_cast<int>(timeout)) <= 0) return;
  std::uint64_t count = 0;
  [[maybe_unused]] const ssize_t taken = read(wake.fd(), &count, sizeof count);
}

}  // namespace weir::sink
