// What is kept of requests that came under the id of a stored event.
#include <utility>

#include "storage/delivery_values.h"
#include "storage/event_codec.h"
#include "storage/event_store_parts.h"
#include "storage/memory_shortage.h"

namespace weir::storage {
namespace {

std::unexpected<StoreError> Damaged(Sequence stored, std::string_view what) {
  return std::unexpected(StoreError{
      StoreErrorCode::kCorruption,
      std::string(what) + " of event " + std::to_string(stored) + " fails its checksum; run weir verify"});
}

}  // namespace

StoreResult<void> EventStore::Parts::CountConflicts() {
  return CountedSoFar(VisitPrefix(Family::kConflicts, "",
                                  [this](std::string_view key, std::string_view value) -> StoreResult<bool> {
                                    if (!ParseConflictKey(key)) return true;
                                    ++conflicts;
                                    conflict_bytes += value.size();
                                    return true;
                                  }));
}

StoreResult<void> EventStore::VisitConflicts(
    const std::function<bool(Sequence stored, std::uint64_t hash, const Event& newcomer)>& visit) const {
  return parts_->VisitPrefix(Family::kConflicts, "",
                             [&](std::string_view key, std::string_view value) -> StoreResult<bool> {
                               const auto conflict = ParseConflictKey(key);
                               if (!conflict) return true;
                               const auto newcomer = Decode(value);
                               if (!newcomer) return Damaged(conflict->stored, "a conflict");
                               return visit(conflict->stored, conflict->hash, *newcomer);
                             });
}

StoreResult<std::string> EventStore::ReadConflict(Sequence stored, std::uint64_t hash) const {
  auto record = parts_->rocks->Get(Family::kConflicts, ConflictKey(stored, hash));
  if (!record) return std::unexpected(record.error());
  if (!*record) return std::unexpected(StoreError{StoreErrorCode::kNotFound, "there is no such conflict"});
  if (!Decode(**record)) return Damaged(stored, "a conflict");
  return **std::move(record);
}

StoreResult<void> EventStore::DropConflict(Sequence stored, std::uint64_t hash) {
  Parts& parts = *parts_;
  const std::scoped_lock lock(parts.dead_mutex);
  const std::string key = ConflictKey(stored, hash);
  const auto record = parts.rocks->Get(Family::kConflicts, key);
  if (!record) return std::unexpected(record.error());
  if (!*record) return std::unexpected(StoreError{StoreErrorCode::kNotFound, "there is no such conflict"});
  const MustHaveMemory here;
  rocksdb::WriteBatch updates;
  updates.Delete(parts.rocks->family(Family::kConflicts), key);
  if (auto written = parts.Write(updates, false, "to drop a conflict"); !written) return written;
  parts.conflicts -= 1;
  parts.conflict_bytes -= (*record)->size();
  return {};
}

StoreResult<Repeats> EventStore::LoadRepeats(Sequence stored) const {
  return parts_->LoadRepeats(stored);
}

StoreResult<Repeats> EventStore::Parts::LoadRepeats(Sequence of) const {
  const std::string key = RepeatsKey(of);
  const auto value = rocks->Get(Family::kConflicts, key);
  if (!value) return std::unexpected(value.error());
  if (!*value) return Repeats{};
  const auto repeats = DecodeRepeats(key, **value);
  if (!repeats) return Damaged(of, "the count of repeats");
  return *repeats;
}

}  // namespace weir::storage
