// The dedupe index's newest part: 64-bit fingerprints of (source, id) -> sequence, in memory, open
// addressing. It answers "which events might this be", never "which event this is": the caller confirms
// against the record. Several entries may carry one fingerprint (a collision, or an id stored again after its
// window).
//
// 16 bytes a slot, at most half of them used: 32 bytes an event. Never grows: a rehash would stall a commit.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "storage/check.h"
#include "storage/event.h"

namespace weir::storage {

using Fingerprint = std::uint64_t;

class DedupeTable {
 public:
  struct Entry {
    Fingerprint fingerprint = 0;
    Sequence sequence = kNoSequence;  // kNoSequence marks an empty slot
  };

  explicit DedupeTable(std::size_t entries_max)
      : entries_max_(entries_max), slots_(std::bit_ceil(std::max<std::size_t>(entries_max, 1) * 2)) {}

  void Prefetch(Fingerprint fingerprint) const { __builtin_prefetch(&slots_[First(fingerprint)], 1); }

  // Calls `visit` with the sequence of every entry that has this fingerprint.
  template <typename Visit>
  void ForEach(Fingerprint fingerprint, Visit visit) const {
    for (std::size_t slot = First(fingerprint); slots_[slot].sequence != kNoSequence; slot = Next(slot)) {
      if (slots_[slot].fingerprint == fingerprint) visit(slots_[slot].sequence);
    }
  }

  // Returns the slot, for Undo. The table must not be full.
  std::size_t Insert(Fingerprint fingerprint, Sequence sequence) {
    WEIR_CHECK_LT(size_, entries_max_);
    WEIR_CHECK_GT(sequence, kNoSequence);
    std::size_t slot = First(fingerprint);
    while (slots_[slot].sequence != kNoSequence) slot = Next(slot);
    slots_[slot] = {.fingerprint = fingerprint, .sequence = sequence};
    ++size_;
    return slot;
  }

  // Takes back an insert. In reverse order of the inserts only: then no later entry can have been placed past
  // this slot.
  void Undo(std::size_t slot) {
    WEIR_CHECK_LT(slot, slots_.size());
    WEIR_CHECK_GT(slots_[slot].sequence, kNoSequence);
    WEIR_CHECK_GT(size_, 0u);
    slots_[slot] = {};
    --size_;
  }

  std::size_t size() const { return size_; }
  bool full() const { return size_ >= entries_max_; }
  std::size_t room() const { return entries_max_ - size_; }

  std::vector<Entry> Entries() const {
    std::vector<Entry> entries;
    entries.reserve(size_);
    for (const Entry& slot : slots_) {
      if (slot.sequence != kNoSequence) entries.push_back(slot);
    }
    return entries;
  }

 private:
  std::size_t First(Fingerprint fingerprint) const { return fingerprint & (slots_.size() - 1); }
  std::size_t Next(std::size_t slot) const { return (slot + 1) & (slots_.size() - 1); }

  std::size_t entries_max_;
  std::size_t size_ = 0;
  std::vector<Entry> slots_;
};

}  // namespace weir::storage
