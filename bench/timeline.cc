#include "bench/timeline.h"

namespace weir::bench {
namespace {

TimelinePoint Reduce(std::uint32_t second, std::uint64_t trouble, const LatencyHistogram& response) {
  return {.second = second,
          .answers = response.count(),
          .trouble = trouble,
          .p50_ns = response.ValueAt(0.5),
          .p90_ns = response.ValueAt(0.9),
          .p99_ns = response.ValueAt(0.99),
          .max_ns = response.max()};
}

}  // namespace

void Timeline::Post(std::uint32_t second, std::uint64_t trouble, const LatencyHistogram& response) {
  const std::lock_guard lock(mutex_);
  OpenSecond& open = open_[second];
  ++open.posts;
  open.trouble += trouble;
  open.response.Merge(response);
}

std::vector<TimelinePoint> Timeline::TakeClosed() {
  const std::lock_guard lock(mutex_);
  std::vector<TimelinePoint> points;
  while (!open_.empty() && open_.begin()->second.posts == threads_) {
    const auto& [second, open] = *open_.begin();
    points.push_back(Reduce(second, open.trouble, open.response));
    open_.erase(open_.begin());
  }
  return points;
}

std::vector<TimelinePoint> Timeline::TakeAll() {
  const std::lock_guard lock(mutex_);
  std::vector<TimelinePoint> points;
  points.reserve(open_.size());
  for (const auto& [second, open] : open_) points.push_back(Reduce(second, open.trouble, open.response));
  open_.clear();
  return points;
}

}  // namespace weir::bench
