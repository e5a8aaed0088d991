#include "storage/log_scan.h"

#include <utility>

#include "storage/event_codec.h"

namespace weir::storage {
namespace {

rocksdb::ReadOptions ForScanning() {
  rocksdb::ReadOptions read = InOrder();
  read.readahead_size = 1u << 20;
  read.fill_cache = false;
  return read;
}

Sequence SequenceAt(const rocksdb::Iterator& rows) {
  return rows.Valid() ? ParseSequenceKey(ToView(rows.key())).value_or(kNoSequence) : kNoSequence;
}

std::unique_ptr<rocksdb::Iterator> RowsInMemory(Rocks& rocks) {
  rocksdb::ReadOptions read;
  read.read_tier = rocksdb::kMemtableTier;
  return std::unique_ptr<rocksdb::Iterator>(rocks.db().NewIterator(read, rocks.family(Family::kEvents)));
}

}  // namespace

Sequence FindInMemory(Rocks& rocks, Sequence from) {
  const auto rows = RowsInMemory(rocks);
  rows->Seek(ToSlice(SequenceKey(from).view()));
  return SequenceAt(*rows);
}

Sequence NewestInMemory(Rocks& rocks) {
  const auto rows = RowsInMemory(rocks);
  rows->SeekToLast();
  return SequenceAt(*rows);
}

LogScan::LogScan(Rocks& rocks, Salvage& salvage, const Holes& holes, Sequence first, Sequence last_in_tables)
    : rocks_(rocks),
      salvage_(salvage),
      holes_(holes),
      rows_(rocks.db().NewIterator(ForScanning(), rocks.family(Family::kEvents))),
      next_(first),
      last_in_tables_(last_in_tables) {}

StoreResult<std::optional<ScannedRecord>> LogScan::Next() {
  if (const Sequence outside = holes_.NextOutside(next_); outside != next_) {
    next_ = outside;
    stepped_ = false;
  }
  if (std::exchange(stepped_, false)) {
    rows_->Next();
  } else {
    rows_->Seek(ToSlice(SequenceKey(next_).view()));
  }
  if (AtNext()) {
    stepped_ = true;
    return Take(ToView(rows_->value()));
  }
  if (!rows_->Valid() && !rows_->status().ok()) return FindNext();
  if (!rows_->Valid() && next_ > last_in_tables_) return std::nullopt;
  return std::unexpected(Missing());
}

// One damaged table of the newest ends every scan, wherever it goes.
StoreResult<std::optional<ScannedRecord>> LogScan::FindNext() {
  auto value = rocks_.Get(Family::kEvents, SequenceKey(next_).view());
  if (value && *value) {
    held_ = **std::move(value);
    return Take(held_);
  }
  if (next_ <= last_in_tables_) return Salvaged();
  if (!value) return std::unexpected(value.error());
  if (FindInMemory(rocks_, next_) != kNoSequence) return std::unexpected(Missing());
  return std::nullopt;
}

Sequence LogScan::GoOnBehind(Sequence missing) {
  stepped_ = false;
  const auto go_on_at = [this](Sequence found) {
    next_ = found;
    return found;
  };
  for (rows_->Seek(ToSlice(SequenceKey(missing).view())); rows_->Valid(); rows_->Next()) {
    const Sequence found = ParseSequenceKey(ToView(rows_->key())).value_or(kNoSequence);
    if (found != kNoSequence && !holes_.Contains(found)) return go_on_at(found);
  }
  if (rows_->status().ok()) return kNoSequence;
  for (Sequence sequence = missing + 1; sequence <= last_in_tables_; ++sequence) {
    if (!holes_.Contains(sequence) && salvage_.Find(sequence)) return go_on_at(sequence);
  }
  const Sequence in_memory = FindInMemory(rocks_, missing);
  return in_memory == kNoSequence ? kNoSequence : go_on_at(holes_.NextOutside(in_memory));
}

bool LogScan::AtNext() const {
  return rows_->Valid() && ParseSequenceKey(ToView(rows_->key())) == next_;
}

StoreResult<std::optional<ScannedRecord>> LogScan::Take(std::string_view record) {
  const auto event = Decode(record);
  const bool whole = event && event->sequence == next_;
  return ScannedRecord{.sequence = next_++,
                       .record = record,
                       .state = whole ? ScannedRecord::State::kWhole : ScannedRecord::State::kAltered};
}

StoreError LogScan::Missing() const {
  return {.code = StoreErrorCode::kDataLoss,
          .message = "event " + std::to_string(next_) + " is missing",
          .sequence = next_};
}

ScannedRecord LogScan::Salvaged() {
  auto found = salvage_.Find(next_);
  held_ = found ? std::move(found->record) : std::string();
  const auto state = !found         ? ScannedRecord::State::kUnreadable
                     : found->whole ? ScannedRecord::State::kWhole
                                    : ScannedRecord::State::kHeader;
  return {.sequence = next_++, .record = held_, .state = state};
}

}  // namespace weir::storage
