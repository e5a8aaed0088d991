// What an open does after a loss that the operator accepted.
//
// A sequence is never given out twice. Sinks, receivers, exports and dedupe runs have named some that the log no
// longer holds, so the log goes on behind the largest of them, and what lies between is a hole. What refers into a
// hole is let go of.
#include <algorithm>
#include <chrono>
#include <string>

#include "storage/delivery_values.h"
#include "storage/event_store_parts.h"
#include "storage/limits.h"
#include "storage/value_codec.h"

namespace weir::storage {
namespace {

constexpr std::uint8_t kLossVersion = 1;

std::int64_t UnixTimeUs() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

}  // namespace

// Keys that cannot be read name nothing; the audit reports them.
StoreResult<Sequence> EventStore::Parts::LargestNamed() const {
  Sequence largest = named;
  const auto name = [&](Sequence sequence) { largest = std::max(largest, sequence); };
  const auto delivery = [&](std::string_view key, std::string_view value) -> StoreResult<bool> {
    if (const auto retry = ParseRetryKey(key)) name(retry->sequence);
    if (!ParsePositionKey(key)) return true;
    if (const auto position = DecodePosition(key, value)) {
      name(position->offset);
      if (!position->above.empty()) name(position->above.back());
    }
    return true;
  };
  if (auto visited = VisitPrefix(Family::kDeliveries, "", delivery); !visited)
    return std::unexpected(visited.error());
  const auto dead = [&](std::string_view key, std::string_view) -> StoreResult<bool> {
    if (const auto letter = ParseDeadKey(key)) name(letter->second);
    return true;
  };
  if (auto visited = VisitPrefix(Family::kDead, "", dead); !visited) return std::unexpected(visited.error());
  const auto conflict = [&](std::string_view key, std::string_view) -> StoreResult<bool> {
    if (const auto of = ParseStoredOf(key)) name(*of);
    return true;
  };
  if (auto visited = VisitPrefix(Family::kConflicts, "", conflict); !visited)
    return std::unexpected(visited.error());
  return largest;
}

StoreResult<void> EventStore::Parts::LetGoOfHoles(rocksdb::WriteBatch& updates) {
  std::uint64_t retries = 0;
  std::uint64_t letters = 0;
  std::uint64_t newcomers = 0;
  const auto delivery = [&](std::string_view key, std::string_view value) -> StoreResult<bool> {
    if (const auto retry = ParseRetryKey(key)) {
      if (!holes.Contains(retry->sequence)) return true;
      updates.Delete(rocks->family(Family::kDeliveries), ToSlice(key));
      ++retries;
      return true;
    }
    if (!ParsePositionKey(key)) return true;
    auto position = DecodePosition(key, value);
    if (!position)
      return std::unexpected(StoreError{StoreErrorCode::kCorruption, "a sink's position is damaged"});
    // Nothing of a hole is left to settle.
    position->offset = holes.NextOutside(position->offset + 1) - 1;
    std::erase_if(position->above, [&](Sequence sequence) {
      return sequence <= position->offset || holes.Contains(sequence);
    });
    updates.Put(rocks->family(Family::kDeliveries), ToSlice(key), EncodePosition(key, *position));
    return true;
  };
  if (auto visited = VisitPrefix(Family::kDeliveries, "", delivery); !visited) return visited;
  const auto dead = [&](std::string_view key, std::string_view) -> StoreResult<bool> {
    const auto letter = ParseDeadKey(key);
    if (!letter || !holes.Contains(letter->second)) return true;
    updates.Delete(rocks->family(Family::kDead), ToSlice(key));
    ++letters;
    return true;
  };
  if (auto visited = VisitPrefix(Family::kDead, "", dead); !visited) return visited;
  const auto conflict = [&](std::string_view key, std::string_view) -> StoreResult<bool> {
    const auto of = ParseStoredOf(key);
    if (!of || !holes.Contains(*of)) return true;
    updates.Delete(rocks->family(Family::kConflicts), ToSlice(key));
    if (ParseConflictKey(key)) ++newcomers;
    return true;
  };
  if (auto visited = VisitPrefix(Family::kConflicts, "", conflict); !visited) return visited;
  if (retries + letters + newcomers > 0) {
    notes.push_back("with the lost events went " + std::to_string(retries) + " retries, " +
                    std::to_string(letters) + " dead letters and " + std::to_string(newcomers) +
                    " conflicts");
  }
  return {};
}

StoreResult<void> EventStore::Parts::GoOnBehindLoss(const std::optional<HighWaterRecord>& promised,
                                                    const Holes& recorded) {
  const auto largest = LargestNamed();
  if (!largest) return std::unexpected(largest.error());
  Sequence end = std::max<Sequence>(*largest, durable);
  // The record lags behind the log except after a clean end: more may have been given out than anything says.
  const bool exact = promised && promised->closed_at != 0 && promised->store_id == format.store_id;
  if (!exact && !log_end_known && end != kNoSequence) end += limits::kUnknownSequencesMax;
  const Sequence newest = durable;
  if (end > newest) {
    holes.Add({.first = newest + 1, .last = end});
    durable = end;
    if (first == kNoSequence || first > newest) first = end + 1;
    notes.push_back("events " + std::to_string(newest + 1) + ".." + std::to_string(end) +
                    " are lost or were never there; the log goes on at " + std::to_string(end + 1));
  }
  rocksdb::WriteBatch updates;
  PutHoles(updates, *rocks, recorded, holes);
  if (auto let_go = LetGoOfHoles(updates); !let_go) return let_go;
  const std::string key = LossKey(UnixTimeUs());
  ValueWriter writer(kLossVersion);
  writer.U64(durable).U32(static_cast<std::uint32_t>(notes.size()));
  for (const std::string& note : notes) writer.Text(note);
  updates.Put(rocks->family(Family::kMeta), key, std::move(writer).Finish(key));
  return Write(updates, true, "to record the loss");
}

}  // namespace weir::storage
