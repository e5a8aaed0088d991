#include "engine/descriptor_limit.h"

#include <sys/resource.h>

#include <algorithm>

namespace weir {
namespace {

// What any of this can use, and no more than the arithmetic on it likes.
constexpr rlim_t kUsefulMax = rlim_t{1} << 30;

}  // namespace

std::size_t RaiseDescriptorLimit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 1024;
  const rlimit raised{.rlim_cur = limit.rlim_max, .rlim_max = limit.rlim_max};
  if (limit.rlim_cur < limit.rlim_max && setrlimit(RLIMIT_NOFILE, &raised) == 0) limit = raised;
  return static_cast<std::size_t>(std::min(limit.rlim_cur, kUsefulMax));
}

}  // namespace weir
