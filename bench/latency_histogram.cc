#include "bench/latency_histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

// The first 2048 buckets are one unit wide. Each following run of 1024 buckets is twice as wide as the one
// before it and covers the next power of two, so a bucket is never wider than 1/1024 of the values in it:
//
//   value    0 … 2047   2048 … 4095   4096 … 8191  …
//   width        1            2             4
//   index    0 … 2047   2048 … 3071   3072 … 4095  …

namespace weir::bench {
namespace {

constexpr int kLinearBits = 11;
constexpr std::size_t kBucketsPerOctave = std::size_t{1} << (kLinearBits - 1);
constexpr int kValueBits = 42;
constexpr std::size_t kBuckets = kBucketsPerOctave * (kValueBits - kLinearBits + 2);

static_assert(LatencyHistogram::kValueMax_ns == (std::int64_t{1} << kValueBits) - 1);

std::size_t IndexOf(std::int64_t value) {
  const auto bits = static_cast<std::uint64_t>(value);
  const int shift = std::max(0, static_cast<int>(std::bit_width(bits)) - kLinearBits);
  return static_cast<std::size_t>(shift) * kBucketsPerOctave + (bits >> shift);
}

std::int64_t HighestValueOf(std::size_t index) {
  if (index < 2 * kBucketsPerOctave) return static_cast<std::int64_t>(index);
  const std::size_t shift = index / kBucketsPerOctave - 1;
  const std::size_t step = index - shift * kBucketsPerOctave;
  return static_cast<std::int64_t>(((step + 1) << shift) - 1);
}

}  // namespace

LatencyHistogram::LatencyHistogram() : counts_(kBuckets), min_ns_(kValueMax_ns) {}

void LatencyHistogram::Record(std::int64_t value_ns) {
  const std::int64_t value = std::clamp<std::int64_t>(value_ns, 0, kValueMax_ns);
  ++counts_[IndexOf(value)];
  ++count_;
  sum_ns_ += static_cast<double>(value);
  min_ns_ = std::min(min_ns_, value);
  max_ns_ = std::max(max_ns_, value);
}

void LatencyHistogram::Merge(const LatencyHistogram& other) {
  for (std::size_t i = 0; i < kBuckets; ++i) counts_[i] += other.counts_[i];
  count_ += other.count_;
  sum_ns_ += other.sum_ns_;
  min_ns_ = std::min(min_ns_, other.min_ns_);
  max_ns_ = std::max(max_ns_, other.max_ns_);
}

void LatencyHistogram::Clear() {
  std::ranges::fill(counts_, 0);
  count_ = 0;
  sum_ns_ = 0;
  min_ns_ = kValueMax_ns;
  max_ns_ = 0;
}

std::int64_t LatencyHistogram::min() const {
  return count_ == 0 ? 0 : min_ns_;
}

double LatencyHistogram::Mean() const {
  return count_ == 0 ? 0.0 : sum_ns_ / static_cast<double>(count_);
}

std::int64_t LatencyHistogram::ValueAt(double quantile) const {
  if (count_ == 0) return 0;
  const double clamped = std::clamp(quantile, 0.0, 1.0);
  const auto rank = std::max<std::uint64_t>(
      1, static_cast<std::uint64_t>(std::ceil(clamped * static_cast<double>(count_))));
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < kBuckets; ++i) {
    seen += counts_[i];
    if (seen >= rank) return std::min(HighestValueOf(i), max_ns_);
  }
  return max_ns_;
}

}  // namespace weir::bench
