// The run second by second, for the progress line and the charts. Client threads post each finished second; a
// second is reduced to one point as soon as every thread has posted it, so a long run stays small.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <vector>

#include "bench/latency_histogram.h"

namespace weir::bench {

struct TimelinePoint {
  std::uint32_t second = 0;  // since the start of the run
  std::uint64_t answers = 0;
  std::uint64_t trouble = 0;  // unexpected answers, lost requests, failed connects
  std::int64_t p50_ns = 0;
  std::int64_t p90_ns = 0;
  std::int64_t p99_ns = 0;
  std::int64_t max_ns = 0;
};

class Timeline {
 public:
  explicit Timeline(std::size_t threads) : threads_(threads) {}

  // Any thread; each posts every second once, in order.
  void Post(std::uint32_t second, std::uint64_t trouble, const LatencyHistogram& response);

  // The points closed since the last call, in order.
  std::vector<TimelinePoint> TakeClosed();
  // The rest, once every thread has ended.
  std::vector<TimelinePoint> TakeAll();

 private:
  struct OpenSecond {
    std::size_t posts = 0;
    std::uint64_t trouble = 0;
    LatencyHistogram response;
  };
  std::size_t threads_;
  std::mutex mutex_;
  std::map<std::uint32_t, OpenSecond> open_;  // under mutex_
};

}  // namespace weir::bench
