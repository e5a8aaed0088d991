#include "storage/log_scan.h"

#include <utility>

#include "storage/event_codec.h"

namespace weir::storage {
namespace {

rocksdb::ReadOptions ForScanning() {
  rocksdb::ReadOptions read;
  read.readahead_size = 1u << 20;
  read.fill_cache = false;
  return read;
}

}  // namespace

LogScan::LogScan(Rocks& rocks, Salvage& salvage, const Holes& holes, Sequence first, Sequence last_in_tables)
    : salvage_(salvage),
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
  if (!rows_->Valid()) {
    if (rows_->status().ok()) {
      if (next_ > last_in_tables_) return std::nullopt;
      return std::unexpected(StoreError{.code = StoreErrorCode::kDataLoss,
                                        .message = "event " + std::to_string(next_) + " is missing",
                                        .sequence = next_});
    }
    if (next_ > last_in_tables_) return std::unexpected(ErrorFrom(rows_->status(), "to read the log"));
    return Salvaged();
  }
  if (ParseSequenceKey(ToView(rows_->key())) != next_) {
    return std::unexpected(StoreError{.code = StoreErrorCode::kDataLoss,
                                      .message = "event " + std::to_string(next_) + " is missing",
                                      .sequence = next_});
  }
  stepped_ = true;
  const std::string_view record = ToView(rows_->value());
  const auto event = Decode(record);
  const bool whole = event && event->sequence == next_;
  return ScannedRecord{.sequence = next_++,
                       .record = record,
                       .state = whole ? ScannedRecord::State::kWhole : ScannedRecord::State::kAltered};
}

Sequence LogScan::GoOnBehind(Sequence missing) {
  stepped_ = false;
  for (rows_->Seek(ToSlice(SequenceKey(missing).view())); rows_->Valid(); rows_->Next()) {
    const Sequence found = ParseSequenceKey(ToView(rows_->key())).value_or(kNoSequence);
    if (found == kNoSequence || holes_.Contains(found)) continue;
    next_ = found;
    return found;
  }
  return kNoSequence;
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
