// A sink's place in the log while it delivers out of order: an offset at or below which nothing is left to
// do, and the sequences above it that are done already. Pure.
//
// "Settled" here means that the event's fate is decided and written with the same batch as the position:
// delivered, routed elsewhere, in the retry schedule, or dead.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/limits.h"
#include "storage/event_store.h"

namespace weir::deliver {

class SettlementWindow {
 public:
  // Entries of `stored.above` past the window's width are forgotten: those events are delivered again.
  explicit SettlementWindow(const storage::SinkPosition& stored);

  storage::Sequence offset() const { return offset_; }
  std::size_t settled_above() const { return settled_above_; }
  bool IsSettled(storage::Sequence sequence) const;

  // Whether `sequence` is near enough to the offset to be remembered. False: something below must settle
  // first.
  bool HasRoomFor(storage::Sequence sequence) const { return sequence <= offset_ + limits::kSettledAboveMax; }

  // REQUIRES: above the offset, with room, not settled.
  void Settle(storage::Sequence sequence);

  storage::SinkPosition Position() const;

 private:
  static constexpr std::size_t kWords = limits::kSettledAboveMax / 64;
  static_assert(limits::kSettledAboveMax % 64 == 0);
  std::uint64_t& WordOf(storage::Sequence sequence) { return bits_[(sequence / 64) % kWords]; }
  const std::uint64_t& WordOf(storage::Sequence sequence) const { return bits_[(sequence / 64) % kWords]; }
  static std::uint64_t BitOf(storage::Sequence sequence) { return std::uint64_t{1} << (sequence % 64); }

  storage::Sequence offset_;
  storage::Sequence began_;  // as stored
  std::size_t settled_above_ = 0;
  std::vector<std::uint64_t>
      bits_;  // bit of `sequence` at sequence % kSettledAboveMax, for (offset, offset + width]
};

}  // namespace weir::deliver
