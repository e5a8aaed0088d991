//   trimmed   before:u64        (version 1)
//
// Events go by whole files: no tombstones, no rewriting. What a file still holds from before the cut is never
// shown again and goes with the rest of the file at a later cut.
#include "storage/retention.h"

#include <rocksdb/convenience.h>

#include <algorithm>
#include <utility>

#include "storage/delivery_values.h"
#include "storage/event_codec.h"
#include "storage/event_store_parts.h"
#include "storage/value_codec.h"

namespace weir::storage {
namespace {

constexpr std::uint8_t kVersion = 1;

std::unexpected<StoreError> Damaged(std::string_view what) {
  return std::unexpected(
      StoreError{StoreErrorCode::kCorruption, "the store's " + std::string(what) + " is damaged"});
}

}  // namespace

StoreResult<Sequence> LoadTrimmedBefore(const Rocks& rocks) {
  const auto value = rocks.Get(Family::kMeta, kTrimmedKey);
  if (!value) return std::unexpected(value.error());
  if (!*value) return 1;
  auto reader = ValueReader::Open(kTrimmedKey, **value);
  if (!reader || reader->version() != kVersion) return Damaged("retention record");
  const Sequence before = reader->U64();
  if (!reader->Complete()) return Damaged("retention record");
  return before;
}

StoreResult<void> PutTrimmedBefore(Rocks& rocks, Sequence sequence) {
  ValueWriter writer(kVersion);
  writer.U64(sequence);
  rocksdb::WriteOptions write;
  write.sync = true;
  const rocksdb::Status status = rocks.db().Put(write, rocks.family(Family::kMeta), ToSlice(kTrimmedKey),
                                                std::move(writer).Finish(kTrimmedKey));
  if (!status.ok()) return std::unexpected(ErrorFrom(status, "to record a cut of the log"));
  return {};
}

// The oldest event that a sink has not settled, or that a retry or a dead letter refers to; `limit` if that
// is older.
StoreResult<Sequence> EventStore::Parts::OldestNeeded(Sequence limit) const {
  auto visited = VisitPrefix(Family::kDeliveries, "",
                             [&](std::string_view key, std::string_view value) -> StoreResult<bool> {
                               if (const auto retry = ParseRetryKey(key)) {
                                 limit = std::min(limit, retry->sequence);
                               } else {
                                 const auto position = DecodePosition(key, value);
                                 if (!position) return Damaged("position of a sink");
                                 limit = std::min(limit, position->offset + 1);
                               }
                               return true;
                             });
  if (!visited) return std::unexpected(visited.error());
  visited = VisitPrefix(Family::kDead, "", [&](std::string_view key, std::string_view) -> StoreResult<bool> {
    const auto dead = ParseDeadKey(key);
    if (!dead) return Damaged("dead letters");
    limit = std::min(limit, dead->second);
    return true;
  });
  if (!visited) return std::unexpected(visited.error());
  return limit;
}

// The first event that is still inside the largest dedupe window, if that is before `limit`. Reception times
// ascend but for the milliseconds by which shards overtake each other, so it is searched for by halves.
StoreResult<Sequence> EventStore::OldestInWindow(Sequence limit) const {
  const auto received = [this](Sequence sequence) -> StoreResult<std::int64_t> {
    const auto record = ReadRecord(sequence);
    if (!record) return std::unexpected(record.error());
    const auto event = Decode(*record);
    if (!event) return Damaged("event " + std::to_string(sequence));
    return event->received_at_us;
  };
  const auto newest = received(last_sequence());
  if (!newest) return std::unexpected(newest.error());
  const std::int64_t horizon_us = *newest - parts_->index->window_us_max();
  Sequence low = parts_->first;
  while (low < limit) {
    const Sequence middle = low + (limit - low) / 2;
    const auto at_us = received(middle);
    if (!at_us) return std::unexpected(at_us.error());
    if (*at_us < horizon_us) {
      low = middle + 1;
    } else {
      limit = middle;
    }
  }
  return limit;
}

StoreResult<Sequence> EventStore::TrimBefore(Sequence first_kept) {
  Parts& parts = *parts_;
  const std::scoped_lock lock(parts.trim_mutex);
  const Sequence last = last_sequence();
  if (last == kNoSequence) return kNoSequence;
  // The newest event always stays: the next one's sequence is counted from it.
  auto limit = parts.OldestNeeded(std::min(first_kept, last));
  if (limit) limit = OldestInWindow(*limit);
  if (!limit) return limit;
  if (*limit <= parts.first) return parts.first.load();

  if (auto put = PutTrimmedBefore(*parts.rocks, *limit); !put) return std::unexpected(put.error());
  const SequenceKey end(*limit - 1);
  const rocksdb::Slice end_slice = ToSlice(end.view());
  const rocksdb::Status status = rocksdb::DeleteFilesInRange(
      &parts.rocks->db(), parts.rocks->family(Family::kEvents), nullptr, &end_slice);
  if (!status.ok()) return std::unexpected(ErrorFrom(status, "to cut the log"));
  parts.first.store(*limit, std::memory_order_release);
  return *limit;
}

}  // namespace weir::storage
