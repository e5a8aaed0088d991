// One line on a terminal's stderr that follows the run; nothing when stderr is not a terminal.
#pragma once

#include <cstdint>
#include <string_view>

#include "bench/timeline.h"

namespace weir::bench {

class ProgressLine {
 public:
  // One of the two is not zero.
  ProgressLine(std::int64_t duration_ns, std::uint64_t count) : duration_ns_(duration_ns), count_(count) {}
  void Show(const TimelinePoint& point);
  void Clear();

 private:
  std::int64_t duration_ns_;
  std::uint64_t count_;
  std::uint64_t answers_ = 0;
};

// Replaces the line by a note; an empty one removes it.
void ProgressNote(std::string_view text);

}  // namespace weir::bench
