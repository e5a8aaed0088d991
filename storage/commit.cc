// Dedupe and append: the only writer of the log.
#include <algorithm>
#include <utility>

#include "storage/check.h"
#include "storage/event_codec.h"
#include "storage/event_store_parts.h"

namespace weir::storage {

StoreResult<void> EventStore::Commit(std::span<AppendRecord> records, std::span<AppendResult> results) {
  WEIR_CHECK(records.size() == results.size());
  Parts& parts = *parts_;
  if (parts.failed)
    return std::unexpected(StoreError{StoreErrorCode::kIo, "an earlier commit failed; restart weir"});
  const Sequence before = parts.durable;
  Sequence next = before + 1;
  std::uint64_t check = parts.last_check;
  parts.batch.Clear();
  parts.inserted.clear();
  const std::scoped_lock lock(parts.dedupe_mutex);
  std::vector<std::size_t> stored_at;
  for (std::size_t i = 0; i < records.size(); ++i) {
    const Event event = Peek(records[i].record, records[i].size);
    const Fingerprint fingerprint = FingerprintOf(parts.secret, IdentityOf(records[i].record));
    parts.candidates.clear();
    parts.head->ForEach(fingerprint, [&](Sequence sequence) { parts.candidates.push_back(sequence); });
    std::sort(parts.candidates.begin(), parts.candidates.end(), std::greater<>());
    bool duplicate = false;
    for (const Sequence candidate : parts.candidates) {
      std::string bytes;
      Event earlier;
      if (candidate > before) {
        const AppendRecord& mate = records[stored_at[candidate - before - 1]];
        earlier = Peek(mate.record, mate.size);
      } else {
        auto read = ReadRecord(candidate);
        if (!read) return std::unexpected(read.error());
        bytes = *std::move(read);
        earlier = Peek(bytes.data(), bytes.size());
      }
      if (earlier.source != event.source || earlier.id != event.id) continue;
      if (event.received_at_us - earlier.received_at_us > records[i].dedupe_window_us) break;
      results[i] = {
          .outcome = earlier.body == event.body ? AppendOutcome::kDuplicate : AppendOutcome::kConflict,
          .sequence = candidate};
      duplicate = true;
      break;
    }
    if (duplicate) continue;
    check = Seal(records[i].record, records[i].size, next, check, records[i].dedupe_window_us);
    parts.batch.Put(parts.rocks->family(Family::kEvents), ToSlice(SequenceKey(next).view()),
                    rocksdb::Slice(records[i].record, records[i].size));
    parts.inserted.push_back(parts.head->Insert(fingerprint, next));
    stored_at.push_back(i);
    results[i] = {.outcome = AppendOutcome::kStored, .sequence = next};
    ++next;
  }
  if (parts.inserted.empty()) return {};
  rocksdb::WriteOptions write;
  write.sync = parts.options.sync;
  write.no_slowdown = true;
  const rocksdb::Status status = parts.rocks->db().Write(write, &parts.batch);
  if (!status.ok()) {
    for (auto slot = parts.inserted.rbegin(); slot != parts.inserted.rend(); ++slot) parts.head->Undo(*slot);
    StoreError error = ErrorFrom(status, "to commit");
    if (error.code != StoreErrorCode::kStalled) parts.failed = true;
    return std::unexpected(std::move(error));
  }
  parts.last_check = check;
  if (before == kNoSequence) parts.first = 1;
  parts.durable.store(next - 1, std::memory_order_release);
  parts.high_water->Advanced();
  return {};
}

}  // namespace weir::storage
