// Counts of latencies in log-linear buckets, as HdrHistogram lays them out with three significant digits: any
// value read back differs from the recorded one by less than 0.1 %. Recording is an index computation and an
// increment. Values are nanoseconds. One thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace weir::bench {

class LatencyHistogram {
 public:
  // Longer latencies are counted as this one: 2^42 ns, a little over an hour.
  static constexpr std::int64_t kValueMax_ns = (std::int64_t{1} << 42) - 1;

  LatencyHistogram();

  void Record(std::int64_t value_ns);  // below zero counts as zero
  void Merge(const LatencyHistogram& other);
  void Clear();

  std::uint64_t count() const { return count_; }
  std::int64_t max() const { return max_ns_; }  // exact; 0 when empty
  std::int64_t min() const;                     // exact; 0 when empty
  double Mean() const;

  // The smallest recorded value that at least `quantile` (0..1) of all recorded values do not exceed, rounded
  // up to the end of its bucket and never above max(). 0 when empty.
  std::int64_t ValueAt(double quantile) const;

 private:
  std::vector<std::uint64_t> counts_;
  std::uint64_t count_ = 0;
  std::int64_t min_ns_;
  std::int64_t max_ns_ = 0;
  double sum_ns_ = 0;
};

}  // namespace weir::bench
