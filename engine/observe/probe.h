// Counters and histograms, written by one thread each and read by the metrics page. Relaxed stores, no locks,
// no atomic read-modify-write on the hot path. Methods are named after what happened.
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace weir::observe {

// One writer, any reader.
class Counter {
 public:
  void Add(std::uint64_t n = 1) {
    value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }
  std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

class Gauge {
 public:
  void Set(std::int64_t v) { value_.store(v, std::memory_order_relaxed); }
  void Add(std::int64_t n) {
    value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }
  std::int64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::int64_t> value_{0};
};

// Powers of two from 1 up: bucket i counts values in [2^(i-1), 2^i). Values are nanoseconds or counts; the
// page converts.
class Histogram {
 public:
  static constexpr std::size_t kBuckets = 40;
  void Record(std::uint64_t value) {
    const auto bucket = static_cast<std::size_t>(std::bit_width(value));
    buckets_[bucket < kBuckets ? bucket : kBuckets - 1].Add();
    sum_.Add(value);
  }
  std::uint64_t bucket(std::size_t i) const { return buckets_[i].value(); }
  std::uint64_t sum() const { return sum_.value(); }

 private:
  std::array<Counter, kBuckets> buckets_;
  Counter sum_;
};

// What the committer tells.
struct CommitProbe {
  Histogram batch_events;  // weir_commit_batch_events
  Histogram sync_ns;       // weir_commit_sync_seconds: the write and its sync
  Histogram wait_ns;  // weir_commit_wait_seconds: an event's wait from hand-over to the start of its commit
  Gauge under_way_since_ns;  // CLOCK_MONOTONIC, of the commit under way; 0: none is
  Counter stored;
  Counter duplicates;
  Counter conflicts;
  Counter conflicts_dropped;  // of them, those for which there was no room
  Counter unavailable;
  Counter unreadable;  // weir_commit_unreadable_total: answered 503 for damage of what they may repeat
};

}  // namespace weir::observe
