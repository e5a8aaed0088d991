//   trimmed   before:u64        (version 1)
//
// Events go by whole files: no tombstones, no rewriting. What a file still holds from before the cut is never
// shown again and goes with the rest of the file at a later cut.
#include "storage/retention.h"

#include <rocksdb/convenience.h>

#include <algorithm>
#include <utility>

#include "storage/check.h"
#include "storage/delivery_values.h"
#include "storage/event_codec.h"
#include "storage/event_store_parts.h"
#include "storage/memory_shortage.h"
#include "storage/value_codec.h"

namespace weir::storage {
namespace {

constexpr std::uint8_t kVersion = 1;
// By how much an event may have been received before one that is earlier in the log, and still be inside its
// window: the wait for a commit.
constexpr std::int64_t kReceiptDisorderUs = std::int64_t{60} * 1'000'000;

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

std::string EncodeTrimmedBefore(Sequence sequence) {
  ValueWriter writer(kVersion);
  writer.U64(sequence);
  return std::move(writer).Finish(kTrimmedKey);
}

// The oldest event that one of `sinks` has not settled or tries again, or that a dead letter refers to;
// `limit` if that is older. All of it as of one moment, or an event on its way from one place to another
// would be seen in neither.
StoreResult<Sequence> EventStore::Parts::OldestNeeded(Sequence limit,
                                                      std::span<const std::string> sinks) const {
  rocksdb::ManagedSnapshot now(&rocks->db());
  const auto asked_for = [&](std::string_view sink) { return std::ranges::find(sinks, sink) != sinks.end(); };
  std::size_t positions = 0;
  auto visited = VisitPrefix(
      Family::kDeliveries, "",
      [&](std::string_view key, std::string_view value) -> StoreResult<bool> {
        if (const auto retry = ParseRetryKey(key)) {
          if (asked_for(retry->sink)) limit = std::min(limit, retry->sequence);
        } else if (const auto sink = ParsePositionKey(key)) {
          const auto position = DecodePosition(key, value);
          if (!position) return Damaged("position of a sink");
          if (!asked_for(*sink)) return true;
          limit = std::min(limit, position->offset + 1);
          ++positions;
        } else {
          return Damaged("schedule of deliveries");
        }
        return true;
      },
      now.snapshot());
  if (!visited) return std::unexpected(visited.error());
  if (positions < sinks.size()) return first.load();
  visited = VisitPrefix(
      Family::kDead, "",
      [&](std::string_view key, std::string_view) -> StoreResult<bool> {
        const auto dead = ParseDeadKey(key);
        if (!dead) return Damaged("dead letters");
        limit = std::min(limit, dead->second);
        return true;
      },
      now.snapshot());
  if (!visited) return std::unexpected(visited.error());
  return limit;
}

StoreResult<std::int64_t> EventStore::Parts::ReceivedAt(Sequence sequence) const {
  const auto record = SoundRecord(sequence);
  if (!record) return std::unexpected(record.error());
  const auto event = Decode(*record);
  WEIR_CHECK(event.has_value());
  return event->received_at_us;
}

StoreResult<Sequence> EventStore::Parts::FindFirst(
    Sequence low, Sequence end,
    const std::function<bool(Sequence, std::int64_t stamp_us)>& is_younger) const {
  while (low < end) {
    const Sequence middle = holes.PreviousOutside(low + (end - low) / 2);
    if (middle < low) {
      low = holes.NextOutside(low);
      continue;
    }
    // What is damaged was received when the next event was.
    Sequence told = middle;
    auto at_us = ReceivedAt(told);
    while (!at_us && at_us.error().code != StoreErrorCode::kNotFound && holes.NextOutside(told + 1) < end) {
      told = holes.NextOutside(told + 1);
      at_us = ReceivedAt(told);
    }
    const bool cut_meanwhile = !at_us && at_us.error().code == StoreErrorCode::kNotFound &&
                               told < first.load(std::memory_order_acquire);
    if (!at_us && at_us.error().code == StoreErrorCode::kNotFound && !cut_meanwhile)
      return std::unexpected(at_us.error());
    if (cut_meanwhile || (at_us && !is_younger(told, *at_us))) {
      low = told + 1;
    } else {
      end = middle;
    }
  }
  return low;
}

StoreResult<Sequence> EventStore::FirstReceivedSince(std::int64_t unix_us) const {
  const Sequence low = std::max<Sequence>(parts_->first.load(std::memory_order_acquire), 1);
  return parts_->FindFirst(low, last_sequence() + 1,
                           [&](Sequence, std::int64_t stamp_us) { return stamp_us >= unix_us; });
}

// Between ticks nothing is looked for: received times there may be in any order.
StoreResult<Sequence> EventStore::Parts::FirstReceivedAfter(std::int64_t at_us) const {
  const Sequence end = durable.load(std::memory_order_acquire) + 1;
  const Sequence low = std::max<Sequence>(first.load(std::memory_order_acquire), 1);
  if (const Sequence through = timeline.ThroughAt(at_us - 1); through != kNoSequence)
    return std::clamp(through + 1, std::min(low, end), end);
  const Sequence untold_end = std::min(timeline.Untold(), end - 1) + 1;
  return FindFirst(low, std::max(low, untold_end), [&](Sequence sequence, std::int64_t stamp_us) {
    return timeline.ReceivedAt(sequence, stamp_us).latest_us >= at_us;
  });
}

StoreResult<Sequence> EventStore::FirstYoungerThan(std::int64_t age_us) const {
  const auto now_us = parts_->timeline.Now();
  WEIR_CHECK(now_us.has_value());
  return parts_->FirstReceivedAfter(*now_us - age_us);
}

// The new beginning and the conflicts of what is before it, in one step.
StoreResult<void> EventStore::Parts::WriteCut(Sequence first_kept) {
  WEIR_CHECK_GT(first_kept, first.load());
  WEIR_CHECK_LE(first_kept, durable.load());
  const std::scoped_lock guard(dead_mutex);
  const MustHaveMemory here;
  rocksdb::WriteBatch updates;
  updates.Put(rocks->family(Family::kMeta), ToSlice(kTrimmedKey), EncodeTrimmedBefore(first_kept));
  std::uint64_t removed = 0;
  std::uint64_t removed_bytes = 0;
  const auto visited = VisitPrefix(Family::kConflicts, "",
                                   [&](std::string_view key, std::string_view value) -> StoreResult<bool> {
                                     const auto of = ParseStoredOf(key);
                                     if (!of) return Damaged("conflicts");
                                     if (*of >= first_kept) return false;
                                     updates.Delete(rocks->family(Family::kConflicts), ToSlice(key));
                                     if (!ParseConflictKey(key)) return true;
                                     ++removed;
                                     removed_bytes += value.size();
                                     return true;
                                   });
  if (!visited) return visited;
  if (auto written = Write(updates, true, "to record a cut of the log"); !written) return written;
  conflicts -= removed;
  conflict_bytes -= removed_bytes;
  return {};
}

StoreResult<Sequence> EventStore::TrimBefore(Sequence first_kept, std::span<const std::string> sinks) {
  Parts& parts = *parts_;
  const std::scoped_lock lock(parts.trim_mutex);
  const Sequence last = parts.holes.PreviousOutside(last_sequence());
  if (last == kNoSequence) return kNoSequence;
  if (last < parts.first) return parts.first.load();
  auto now_us = parts.timeline.Now();
  if (!now_us) {
    const auto newest_us = parts.ReceivedAt(last);
    if (!newest_us) return std::unexpected(newest_us.error());
    now_us = *newest_us;
  }
  const auto in_window =
      parts.FirstReceivedAfter(*now_us - parts.index->window_us_max() - kReceiptDisorderUs);
  if (!in_window) return in_window;
  // The newest event always stays: the next one's sequence is counted from it.
  const auto limit = parts.OldestNeeded(std::min({first_kept, last, *in_window}), sinks);
  if (!limit) return limit;
  WEIR_CHECK_LE(*limit, last);
  if (*limit > parts.first) {
    if (auto written = parts.WriteCut(*limit); !written) return std::unexpected(written.error());
    // Before anything goes: who does not find an event must be able to see why.
    parts.first.store(*limit, std::memory_order_release);
  }
  const Sequence first = parts.first;
  if (first <= 1) return first;
  // Also where nothing was cut this time: files that were being compacted, or about to be, stayed the last
  // time.
  const SequenceKey end(first - 1);
  const rocksdb::Slice end_slice = ToSlice(end.view());
  const rocksdb::Status status = rocksdb::DeleteFilesInRange(
      &parts.rocks->db(), parts.rocks->family(Family::kEvents), nullptr, &end_slice);
  if (!status.ok()) return std::unexpected(ErrorFrom(status, "to cut the log"));
  return first;
}

}  // namespace weir::storage
