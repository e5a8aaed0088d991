#include "storage/event_store.h"

#include <algorithm>
#include <utility>

#include "storage/check.h"
#include "storage/event_codec.h"
#include "storage/event_store_parts.h"
#include "storage/memory_shortage.h"
#include "storage/timeline_rows.h"
#include "storage/value_codec.h"

namespace weir::storage {
namespace {

constexpr std::uint8_t kTextVersion = 1;

std::unexpected<StoreError> Fail(StoreErrorCode code, std::string message) {
  return std::unexpected(StoreError{code, std::move(message)});
}

}  // namespace

const std::vector<std::string>& EventStore::notes() const {
  return parts_->notes;
}

Sequence EventStore::first_sequence() const {
  return parts_->first.load(std::memory_order_acquire);
}

Sequence EventStore::last_sequence() const {
  return parts_->durable.load(std::memory_order_acquire);
}

std::uint64_t EventStore::CountFrom(Sequence first) const {
  const Sequence last = last_sequence();
  const Sequence begin = std::max({first, first_sequence(), Sequence{1}});
  return last < begin ? 0 : last - begin + 1 - parts_->holes.CountWithin(begin, last);
}

StoreResult<std::string> EventStore::ReadRecord(Sequence sequence) const {
  if (parts_->holes.Contains(sequence)) {
    return Fail(StoreErrorCode::kNotFound,
                "event " + std::to_string(sequence) + " is lost: the operator accepted its loss");
  }
  const Sequence first = parts_->first;
  if (sequence == kNoSequence || sequence > last_sequence()) {
    return Fail(StoreErrorCode::kNotFound, "there is no event " + std::to_string(sequence));
  }
  if (sequence < first) {
    return Fail(StoreErrorCode::kNotFound, "event " + std::to_string(sequence) +
                                               " is forgotten: the oldest that is kept is " +
                                               std::to_string(first));
  }
  return parts_->SoundRecord(sequence);
}

StoreResult<std::string> EventStore::Parts::SoundRecord(Sequence sequence) const {
  auto value = rocks->Get(Family::kEvents, SequenceKey(sequence).view());
  if (value && !*value)
    return Fail(StoreErrorCode::kNotFound, "there is no event " + std::to_string(sequence));
  if (value) {
    const auto event = Decode(**value);
    if (event && event->sequence == sequence) return **std::move(value);
  }
  if (auto found = salvage->Find(sequence); found && found->whole) return std::move(found->record);
  return std::unexpected(
      StoreError{.code = StoreErrorCode::kCorruption,
                 .message = "event " + std::to_string(sequence) + " of the log " +
                            (value ? "is damaged" : "cannot be read: " + value.error().message),
                 .sequence = sequence});
}

StoreResult<Sequence> EventStore::Find(std::string_view source, std::string_view id) const {
  const Fingerprint fingerprint = parts_->FingerprintFor(std::string(source).append(id));
  std::vector<Sequence> candidates;
  {
    const auto lock = parts_->index->Lock();
    if (auto found = parts_->index->Candidates(fingerprint, candidates); !found)
      return std::unexpected(found.error());
  }
  std::sort(candidates.begin(), candidates.end(), std::greater<>());
  std::optional<StoreError> unreadable;
  for (const Sequence candidate : candidates) {
    const auto record = ReadRecord(candidate);
    if (!record && record.error().code == StoreErrorCode::kNotFound) continue;  // not durable yet, or trimmed
    if (!record) {
      unreadable = record.error();
      continue;
    }
    const auto event = Decode(*record);
    WEIR_CHECK(event.has_value());
    if (event->source == source && event->id == id) return candidate;
  }
  if (unreadable) return std::unexpected(*std::move(unreadable));
  return Fail(StoreErrorCode::kNotFound, "there is no such event");
}

StoreResult<std::string> EventStore::GetMeta(std::string_view key) const {
  const std::string stored = NamedTextKey(key);
  const auto value = parts_->rocks->Get(Family::kMeta, stored);
  if (!value) return std::unexpected(value.error());
  if (!*value) return Fail(StoreErrorCode::kNotFound, "there is no text named " + std::string(key));
  auto reader = ValueReader::Open(stored, **value);
  if (!reader || reader->version() != kTextVersion) {
    return Fail(StoreErrorCode::kCorruption, "the text named " + std::string(key) + " is damaged");
  }
  return std::string(reader->Text());
}

StoreResult<void> EventStore::PutMeta(std::string_view key, std::string_view value) {
  const std::string stored = NamedTextKey(key);
  const MustHaveMemory here;
  rocksdb::WriteBatch updates;
  ValueWriter writer(kTextVersion);
  writer.Text(value);
  updates.Put(parts_->rocks->family(Family::kMeta), stored, std::move(writer).Finish(stored));
  return parts_->Write(updates, true, "to store a text");
}

void EventStore::Tell(const Clocks& clocks) {
  parts_->timeline.Tell(clocks);
}

ClockSteps EventStore::StepsOfClock() const {
  const Timeline::Steps steps = parts_->timeline.ClockSteps();
  return {.count = steps.count, .last_us = steps.last_us};
}

StoreResult<void> EventStore::MarkTime() {
  const std::scoped_lock lock(parts_->trim_mutex);
  const MustHaveMemory here;
  rocksdb::WriteBatch updates;
  PutTimeline(updates, *parts_->rocks, parts_->timeline.AddTick(last_sequence(), first_sequence()),
              parts_->timeline.LeaveOff());
  return parts_->Write(updates, false, "to note the time");
}

DiskReading EventStore::LastDiskReading() const {
  return parts_->disk_watch->Last();
}

StoreStatistics EventStore::Statistics() const {
  StoreStatistics statistics;
  statistics.first_sequence = parts_->first;
  statistics.last_sequence = last_sequence();
  statistics.disk = LastDiskReading();
  const DedupeIndex::Size index = parts_->index->MeasureSize();
  statistics.dedupe_entries_in_memory = index.entries_in_memory;
  statistics.dedupe_entries_sealed = index.entries_sealed;
  statistics.dedupe_runs = index.runs;
  statistics.dedupe_filter_bytes = index.filter_bytes;
  statistics.conflicts = parts_->conflicts;
  std::uint64_t stopped = 0;
  parts_->rocks->db().GetIntProperty("rocksdb.is-write-stopped", &stopped);
  statistics.write_stopped = stopped != 0;
  statistics.segments = parts_->wal->pool().Figures();
  statistics.troubles = parts_->health.Lasting();
  statistics.trouble_counts = parts_->health.Counts();
  return statistics;
}

Fingerprint EventStore::Parts::FingerprintFor(std::string_view identity) const {
  return FingerprintOf(format.secret, identity) &
         (~std::uint64_t{0} << (64 - options.dedupe_fingerprint_bits));
}

StoreResult<void> EventStore::Parts::Write(rocksdb::WriteBatch& updates, bool sync,
                                           std::string_view doing) const {
  rocksdb::WriteOptions write;
  write.sync = sync;
  return rocks->Write(write, updates, doing);
}

StoreResult<void> EventStore::Parts::VisitPrefix(Family family, std::string_view prefix,
                                                 const VisitRow& visit,
                                                 const rocksdb::Snapshot* as_of) const {
  Rows rows(*rocks, family, prefix, as_of);
  for (; rows.Valid(); rows.Next()) {
    const StoreResult<bool> more = visit(rows.key(), rows.value());
    if (!more) return std::unexpected(more.error());
    if (!*more) return {};
  }
  if (!rows.status().ok()) return std::unexpected(ErrorFrom(rows.status(), "to read"));
  return {};
}

}  // namespace weir::storage
