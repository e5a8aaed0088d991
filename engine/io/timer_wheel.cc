#include "engine/io/timer_wheel.h"

#include <algorithm>
#include <bit>

#include "storage/check.h"

namespace weir::io {

TimerWheel::TimerWheel(std::int64_t now_ms) : elapsed_ms_(now_ms) {
  first_.fill(kNone);
}

void TimerWheel::Arm(std::uint32_t id, std::int64_t deadline_ms) {
  if (id >= nodes_.size()) nodes_.resize(std::max<std::size_t>(id + 1, nodes_.size() * 2));
  Node& node = nodes_[id];
  node.deadline_ms = deadline_ms;
  if (node.bucket != kNotLinked) {
    if (deadline_ms >= node.linked_ms) return;
    Unlink(id);
  }
  Link(id);
}

void TimerWheel::Disarm(std::uint32_t id) {
  if (id < nodes_.size() && nodes_[id].bucket != kNotLinked) Unlink(id);
}

void TimerWheel::Advance(std::int64_t now_ms, std::vector<std::uint32_t>& due) {
  Expiration next{};
  while (FindNext(next) && next.at_ms <= now_ms) {
    elapsed_ms_ = std::max(elapsed_ms_, next.at_ms);
    std::uint32_t id = first_[next.bucket];
    first_[next.bucket] = kNone;
    occupied_[next.bucket / kBucketsPerLevel] &= ~(std::uint64_t{1} << (next.bucket % kBucketsPerLevel));
    while (id != kNone) {
      Node& node = nodes_[id];
      const std::uint32_t following = node.next;
      node.bucket = kNotLinked;
      if (node.deadline_ms <= elapsed_ms_) {
        due.push_back(id);
      } else {
        Link(id);
      }
      id = following;
    }
  }
  elapsed_ms_ = std::max(elapsed_ms_, now_ms);
}

std::int64_t TimerWheel::UntilNext(std::int64_t now_ms) const {
  Expiration next{};
  if (!FindNext(next)) return -1;
  return std::max<std::int64_t>(next.at_ms - now_ms, 0);
}

void TimerWheel::Link(std::uint32_t id) {
  Node& node = nodes_[id];
  node.linked_ms = std::clamp(node.deadline_ms, elapsed_ms_ + 1, elapsed_ms_ + kReachMs);
  // The highest bit in which the two times differ names the wheel: below it they share every coarser bucket.
  const auto difference = static_cast<std::uint64_t>(node.linked_ms ^ elapsed_ms_) | (kBucketsPerLevel - 1);
  const auto level = std::min<std::size_t>(
      (63u - static_cast<unsigned>(std::countl_zero(difference))) / kLevelBits, kLevels - 1);
  const auto slot = static_cast<std::size_t>(node.linked_ms >> (kLevelBits * level)) & (kBucketsPerLevel - 1);
  const std::size_t bucket = level * kBucketsPerLevel + slot;

  node.bucket = static_cast<std::uint16_t>(bucket);
  node.previous = kNone;
  node.next = first_[bucket];
  if (node.next != kNone) nodes_[node.next].previous = id;
  first_[bucket] = id;
  occupied_[level] |= std::uint64_t{1} << slot;
}

void TimerWheel::Unlink(std::uint32_t id) {
  Node& node = nodes_[id];
  if (node.previous != kNone) {
    nodes_[node.previous].next = node.next;
  } else {
    WEIR_CHECK(first_[node.bucket] == id);
    first_[node.bucket] = node.next;
    if (node.next == kNone) {
      occupied_[node.bucket / kBucketsPerLevel] &= ~(std::uint64_t{1} << (node.bucket % kBucketsPerLevel));
    }
  }
  if (node.next != kNone) nodes_[node.next].previous = node.previous;
  node.bucket = kNotLinked;
}

// The lowest wheel with anything in it has the earliest bucket: everything in a coarser wheel differs from
// the present in a higher bit.
bool TimerWheel::FindNext(Expiration& next) const {
  for (std::size_t level = 0; level < kLevels; ++level) {
    if (occupied_[level] == 0) continue;
    const unsigned shift = kLevelBits * static_cast<unsigned>(level);
    const std::int64_t bucket_ms = std::int64_t{1} << shift;
    const std::int64_t wheel_ms = bucket_ms << kLevelBits;
    const auto here = static_cast<unsigned>(elapsed_ms_ >> shift) & (kBucketsPerLevel - 1);
    const auto ahead =
        static_cast<unsigned>(std::countr_zero(std::rotr(occupied_[level], static_cast<int>(here))));
    const std::size_t slot = (ahead + here) % kBucketsPerLevel;
    next.bucket = level * kBucketsPerLevel + slot;
    next.at_ms = (elapsed_ms_ & ~(wheel_ms - 1)) + static_cast<std::int64_t>(slot) * bucket_ms;
    // Only the coarsest wheel can hold a bucket that lies in its next round.
    if (next.at_ms <= elapsed_ms_) next.at_ms += wheel_ms;
    return true;
  }
  return false;
}

}  // namespace weir::io
