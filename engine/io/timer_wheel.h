// Deadlines of numbered things (connection slots, attempts), one each, in millisecond ticks. Pure: the time
// is an argument.
//
// Five wheels of 64 buckets: the first holds the next 64 ms by the millisecond, each further one 64 times as
// much, the last reaches twelve days. A deadline moves to a finer wheel when its bucket's time comes, at most
// four times in its life.
//
// Arming is lazy towards the future: a later deadline for something that is already in a bucket is only
// written down, and looked at when that bucket comes up. An idle deadline that every request pushes on thus
// costs one store a request.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace weir::io {

class TimerWheel {
 public:
  explicit TimerWheel(std::int64_t now_ms);

  // One deadline an id; the later call wins. Grows to the largest id seen. A deadline that has passed is due
  // one tick on.
  void Arm(std::uint32_t id, std::int64_t deadline_ms);
  void Disarm(std::uint32_t id);

  // Appends the ids whose deadline is at or before `now_ms`; each is disarmed before its id is told.
  void Advance(std::int64_t now_ms, std::vector<std::uint32_t>& due);

  // How long nothing can be due, from `now_ms`; -1 when nothing is armed. May be earlier than the first
  // deadline, never later.
  std::int64_t UntilNext(std::int64_t now_ms) const;

 private:
  static constexpr unsigned kLevelBits = 6;
  static constexpr std::size_t kBucketsPerLevel = 1u << kLevelBits;
  static constexpr std::size_t kLevels = 5;
  // One bucket less than a whole round, so that no deadline lands in the bucket the present is in.
  static constexpr std::int64_t kReachMs = std::int64_t{kBucketsPerLevel - 1} << (kLevelBits * (kLevels - 1));
  static constexpr std::uint32_t kNone = 0xFFFFFFFFu;
  static constexpr std::uint16_t kNotLinked = 0xFFFF;

  struct Node {
    std::int64_t deadline_ms = 0;  // wanted
    std::int64_t linked_ms = 0;    // when its bucket is looked at; never later than wanted
    std::uint32_t next = kNone;
    std::uint32_t previous = kNone;
    std::uint16_t bucket = kNotLinked;
  };
  struct Expiration {
    std::size_t bucket;
    std::int64_t at_ms;
  };

  void Link(std::uint32_t id);
  void Unlink(std::uint32_t id);
  bool FindNext(Expiration& next) const;

  std::int64_t elapsed_ms_;  // every tick up to and including this one has been handled
  std::array<std::uint64_t, kLevels> occupied_{};
  std::array<std::uint32_t, kLevels * kBucketsPerLevel> first_;
  std::vector<Node> nodes_;
};

}  // namespace weir::io
