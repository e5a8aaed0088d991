#include "bench/progress_line.h"

#include <unistd.h>

#include <cstdio>
#include <string>

#include "bench/clock.h"

namespace weir::bench {

void ProgressNote(std::string_view text) {
  if (::isatty(STDERR_FILENO) == 0) return;
  std::fprintf(stderr, "\r\033[K%.*s", static_cast<int>(text.size()), text.data());
}

void ProgressLine::Show(const TimelinePoint& point) {
  answers_ += point.answers;
  const double done = duration_ns_ != 0
                          ? static_cast<double>(point.second + 1) * 1e9 / static_cast<double>(duration_ns_)
                          : static_cast<double>(answers_) / static_cast<double>(count_);
  std::string line(160, '\0');
  const int size =
      std::snprintf(line.data(), line.size(), "%3.0f %%  %llu/s  p50 %.2f ms  p99 %.2f ms  max %.2f ms%s",
                    done * 100, static_cast<unsigned long long>(point.answers),
                    static_cast<double>(point.p50_ns) / 1e6, static_cast<double>(point.p99_ns) / 1e6,
                    static_cast<double>(point.max_ns) / 1e6, point.trouble > 0 ? "  trouble" : "");
  line.resize(static_cast<std::size_t>(size));
  ProgressNote(line);
}

void ProgressLine::Clear() {
  ProgressNote("");
}

}  // namespace weir::bench
