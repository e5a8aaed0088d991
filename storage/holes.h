// Stretches of the log that are gone for good: losses an operator accepted. A sequence is never given out
// twice, so the log goes on behind what it lost, and whoever walks it steps over these.
#pragma once

#include <rocksdb/write_batch.h>

#include <cstdint>
#include <vector>

#include "storage/event.h"
#include "storage/rocks.h"

namespace weir::storage {

struct Hole {
  Sequence first;
  Sequence last;  // inclusive
  bool operator==(const Hole&) const = default;
};

class Holes {
 public:
  // REQUIRES: first <= last. Joins with what it touches.
  void Add(Hole hole);

  bool empty() const { return ranges_.empty(); }
  const std::vector<Hole>& ranges() const { return ranges_; }  // ascending, not touching
  bool Contains(Sequence sequence) const { return Find(sequence) != nullptr; }
  // `sequence`, or the first one behind the hole it lies in.
  Sequence NextOutside(Sequence sequence) const;
  // `sequence`, or the last one before the hole it lies in.
  Sequence PreviousOutside(Sequence sequence) const;
  // How many of first..last lie in holes.
  std::uint64_t CountWithin(Sequence first, Sequence last) const;
  // The largest sequence in a hole; kNoSequence without one.
  Sequence last() const { return ranges_.empty() ? kNoSequence : ranges_.back().last; }

 private:
  const Hole* Find(Sequence sequence) const;
  std::vector<Hole> ranges_;
};

StoreResult<Holes> LoadHoles(Rocks& rocks);
// Replaces what is stored by `holes`, as part of a batch.
void PutHoles(rocksdb::WriteBatch& updates, const Rocks& rocks, const Holes& stored, const Holes& holes);

}  // namespace weir::storage
