//   hole     last:u64        (version 1)
#include "storage/holes.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "storage/check.h"
#include "storage/keys.h"
#include "storage/value_codec.h"

namespace weir::storage {
namespace {

constexpr std::uint8_t kVersion = 1;

}  // namespace

void Holes::Add(Hole hole) {
  WEIR_CHECK_GT(hole.first, kNoSequence);
  WEIR_CHECK_LE(hole.first, hole.last);
  std::vector<Hole> joined;
  for (const Hole& range : ranges_) {
    const bool touches = range.first <= hole.last + 1 && hole.first <= range.last + 1;
    if (!touches) {
      joined.push_back(range);
      continue;
    }
    hole.first = std::min(hole.first, range.first);
    hole.last = std::max(hole.last, range.last);
  }
  joined.push_back(hole);
  std::ranges::sort(joined, {}, &Hole::first);
  ranges_ = std::move(joined);
}

const Hole* Holes::Find(Sequence sequence) const {
  const auto behind = std::ranges::upper_bound(ranges_, sequence, {}, &Hole::first);
  if (behind == ranges_.begin()) return nullptr;
  const Hole& range = *std::prev(behind);
  return sequence <= range.last ? &range : nullptr;
}

Sequence Holes::NextOutside(Sequence sequence) const {
  const Hole* hole = Find(sequence);
  return hole == nullptr ? sequence : hole->last + 1;
}

Sequence Holes::PreviousOutside(Sequence sequence) const {
  const Hole* hole = Find(sequence);
  return hole == nullptr ? sequence : hole->first - 1;
}

std::uint64_t Holes::CountWithin(Sequence first, Sequence last) const {
  std::uint64_t count = 0;
  for (const Hole& range : ranges_) {
    const Sequence from = std::max(first, range.first);
    const Sequence to = std::min(last, range.last);
    if (from <= to) count += to - from + 1;
  }
  return count;
}

StoreResult<Holes> LoadHoles(Rocks& rocks) {
  Holes holes;
  Rows rows(rocks, Family::kMeta, HolePrefix());
  for (; rows.Valid(); rows.Next()) {
    const auto first = ParseHoleKey(rows.key());
    auto reader = ValueReader::Open(rows.key(), rows.value());
    Sequence last = kNoSequence;
    if (reader && reader->version() == kVersion) last = reader->U64();
    if (!first || !reader || !reader->Complete() || *first == kNoSequence || last < *first) {
      return std::unexpected(
          StoreError{StoreErrorCode::kCorruption, "the record of a hole in the log is damaged"});
    }
    holes.Add({.first = *first, .last = last});
  }
  if (!rows.status().ok()) return std::unexpected(ErrorFrom(rows.status(), "to read the log's holes"));
  return holes;
}

void PutHoles(rocksdb::WriteBatch& updates, const Rocks& rocks, const Holes& stored, const Holes& holes) {
  for (const Hole& hole : stored.ranges()) updates.Delete(rocks.family(Family::kMeta), HoleKey(hole.first));
  for (const Hole& hole : holes.ranges()) {
    const std::string key = HoleKey(hole.first);
    ValueWriter writer(kVersion);
    writer.U64(hole.last);
    updates.Put(rocks.family(Family::kMeta), key, std::move(writer).Finish(key));
  }
}

}  // namespace weir::storage
