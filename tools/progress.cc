#include "tools/progress.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <utility>

namespace weir::tools {

namespace {

constexpr std::chrono::milliseconds kFirstAfter{1000};
constexpr std::chrono::milliseconds kEvery{200};
constexpr const char* kClearLine = "\r\033[K";

}  // namespace

Progress::Progress(std::string verb, std::string noun)
    : verb_(std::move(verb)),
      noun_(std::move(noun)),
      on_terminal_(::isatty(STDERR_FILENO) == 1),
      next_(Clock::now() + kFirstAfter) {}

Progress::~Progress() {
  if (shown_) std::fputs(kClearLine, stderr);
}

void Progress::Update(std::uint64_t count, double fraction) {
  if (!on_terminal_ || Clock::now() < next_) return;
  next_ = Clock::now() + kEvery;
  shown_ = true;
  std::fprintf(stderr, "%s%s %llu %s", kClearLine, verb_.c_str(), static_cast<unsigned long long>(count),
               noun_.c_str());
  if (fraction >= 0) std::fprintf(stderr, ", %d%%", static_cast<int>(std::min(fraction, 1.0) * 100));
}

}  // namespace weir::tools
