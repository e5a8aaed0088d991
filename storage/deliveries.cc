// Positions, retries, dead letters: what delivery keeps beside the log.
#include <utility>

#include "storage/check.h"
#include "storage/delivery_values.h"
#include "storage/event_store_parts.h"
#include "storage/memory_shortage.h"

namespace weir::storage {
namespace {

std::unexpected<StoreError> Damaged(std::string_view what) {
  return std::unexpected(
      StoreError{StoreErrorCode::kCorruption,
                 "a " + std::string(what) + " of the store fails its checksum; run weir verify"});
}

}  // namespace

StoreResult<void> EventStore::Parts::CountDead() {
  return CountedSoFar(
      VisitPrefix(Family::kDead, "", [this](std::string_view key, std::string_view) -> StoreResult<bool> {
        const auto parsed = ParseDeadKey(key);
        if (!parsed) return Damaged("dead letter's key");
        ++dead_counts[std::string(parsed->first)];
        return true;
      }));
}

// A count may be too small; it must not keep everything else from being served.
StoreResult<void> EventStore::Parts::CountedSoFar(const StoreResult<void>& visited) {
  if (visited || visited.error().code != StoreErrorCode::kCorruption) return visited;
  health.Report(StoreTrouble::Part::kDamage, visited.error().message);
  return {};
}

StoreResult<SinkPosition> EventStore::LoadPosition(std::string_view sink) const {
  const std::string key = PositionKey(sink);
  const auto value = parts_->rocks->Get(Family::kDeliveries, key);
  if (!value) return std::unexpected(value.error());
  if (!*value)
    return std::unexpected(StoreError{StoreErrorCode::kNotFound, "no position of " + std::string(sink)});
  auto position = DecodePosition(key, **value);
  if (!position) return Damaged("sink's position");
  return *std::move(position);
}

StoreResult<std::vector<RetryEntry>> EventStore::LoadRetries(std::string_view sink) const {
  std::vector<RetryEntry> retries;
  auto visited = parts_->VisitPrefix(Family::kDeliveries, RetryPrefix(sink),
                                     [&](std::string_view key, std::string_view value) -> StoreResult<bool> {
                                       auto retry = DecodeRetry(key, value);
                                       if (!retry) return Damaged("retry");
                                       retries.push_back(*std::move(retry));
                                       return true;
                                     });
  if (!visited) return std::unexpected(visited.error());
  return retries;
}

// Whoever is told that there is no room starts nothing that would have to be settled.
StoreResult<void> EventStore::Parts::WriteSettlement(rocksdb::WriteBatch& updates, bool adds) {
  if (!adds) return Write(updates, false, "to settle");
  const auto bytes = 2 * static_cast<std::int64_t>(updates.GetDataSize());  // both copies
  if (settlement_bytes.load(std::memory_order_relaxed) < bytes) {
    return std::unexpected(
        StoreError{StoreErrorCode::kStalled, "the disk is nearly full: nothing is settled"});
  }
  settlement_bytes.fetch_sub(bytes, std::memory_order_relaxed);
  return Write(updates, false, "to settle");
}

void EventStore::AllowSettlements(std::int64_t bytes) {
  parts_->settlement_bytes.store(bytes, std::memory_order_relaxed);
}

void EventStore::AllowMerges(std::int64_t bytes) {
  parts_->merge_bytes.store(bytes, std::memory_order_relaxed);
}

StoreResult<void> EventStore::BeginSinks(std::span<const SinkBeginning> beginnings) {
  if (beginnings.empty()) return {};
  const MustHaveMemory here;
  rocksdb::WriteBatch updates;
  for (const SinkBeginning& beginning : beginnings) {
    const std::string key = PositionKey(beginning.sink);
    updates.Put(
        parts_->rocks->family(Family::kDeliveries), key,
        EncodePosition(key, {.offset = beginning.offset, .above = {}, .began = beginning.offset + 1}));
  }
  return parts_->Write(updates, true, "to begin a sink");
}

StoreResult<void> EventStore::Settle(const SettlementBatch& batch) {
  Parts& parts = *parts_;
  const MustHaveMemory here;
  rocksdb::WriteBatch updates;
  rocksdb::ColumnFamilyHandle* deliveries = parts.rocks->family(Family::kDeliveries);
  WEIR_CHECK(!batch.sink.empty());
  for (const RetryEntry& retry : batch.retries_added) {
    WEIR_CHECK_GT(retry.sequence, kNoSequence);
    const std::string key = RetryKey(batch.sink, retry.due_us, retry.sequence);
    updates.Put(deliveries, key, EncodeRetry(key, retry));
  }
  for (const auto& [due_us, sequence] : batch.retries_removed) {
    updates.Delete(deliveries, RetryKey(batch.sink, due_us, sequence));
  }
  if (batch.position) {
    Sequence settled = batch.position->offset;
    for (const Sequence above : batch.position->above) {
      WEIR_CHECK_GT(above, settled);
      settled = above;
    }
    const std::string key = PositionKey(batch.sink);
    updates.Put(deliveries, key, EncodePosition(key, *batch.position));
  }
  // What only lets go of something, as an operator's drop does, needs no room.
  const bool adds = batch.position || !batch.retries_added.empty() || !batch.dead_added.empty();
  if (batch.dead_added.empty() && batch.dead_removed.empty()) return parts.WriteSettlement(updates, adds);

  const std::scoped_lock lock(parts.dead_mutex);
  std::map<std::string, bool> changed;  // key -> there after this batch
  for (const DeadLetter& letter : batch.dead_added) {
    const std::string key = DeadKey(letter.sink, letter.sequence);
    updates.Put(parts.rocks->family(Family::kDead), key, EncodeDeadLetter(key, letter));
    changed[key] = true;
  }
  for (const Sequence sequence : batch.dead_removed) {
    const std::string key = DeadKey(batch.sink, sequence);
    updates.Delete(parts.rocks->family(Family::kDead), key);
    changed[key] = false;
  }
  std::map<std::string, std::int64_t> deltas;
  for (const auto& [key, present] : changed) {
    // What cannot be read is there.
    const auto stored = parts.rocks->Get(Family::kDead, key);
    const bool was_there = !stored || stored->has_value();
    deltas[std::string(ParseDeadKey(key)->first)] += std::int64_t{present} - std::int64_t{was_there};
  }
  if (auto written = parts.WriteSettlement(updates, adds); !written) return written;
  for (const auto& [sink, delta] : deltas) parts.dead_counts[sink] += static_cast<std::uint64_t>(delta);
  return {};
}

StoreResult<void> EventStore::VisitDeadLetters(std::string_view sink_or_empty,
                                               const std::function<bool(const DeadLetter&)>& visit) const {
  const std::string prefix = sink_or_empty.empty() ? std::string() : DeadPrefix(sink_or_empty);
  return parts_->VisitPrefix(Family::kDead, prefix,
                             [&](std::string_view key, std::string_view value) -> StoreResult<bool> {
                               const auto letter = DecodeDeadLetter(key, value);
                               if (!letter) return Damaged("dead letter");
                               return visit(*letter);
                             });
}

StoreResult<std::uint64_t> EventStore::CountDeadLetters(std::string_view sink) const {
  const std::scoped_lock lock(parts_->dead_mutex);
  const auto found = parts_->dead_counts.find(sink);
  return found == parts_->dead_counts.end() ? 0 : found->second;
}

StoreResult<std::vector<std::string>> EventStore::SinkNames() const {
  std::vector<std::string> names;
  auto visited = parts_->VisitPrefix(Family::kDeliveries, PositionPrefix(),
                                     [&](std::string_view key, std::string_view) -> StoreResult<bool> {
                                       const auto sink = ParsePositionKey(key);
                                       if (!sink) return Damaged("position's key");
                                       names.emplace_back(*sink);
                                       return true;
                                     });
  if (!visited) return std::unexpected(visited.error());
  return names;
}

}  // namespace weir::storage
