#include "storage/log_scan.h"

#include <utility>

#include "storage/event_codec.h"

namespace weir::storage {
namespace {

Sequence SequenceAt(const EventRows& rows) {
  return rows.Valid() ? rows.sequence() : kNoSequence;
}

}  // namespace

Sequence FindInMemory(Rocks& rocks, Sequence from) {
  EventRows rows = RowsInMemory(rocks);
  rows.Seek(from);
  return SequenceAt(rows);
}

Sequence NewestInMemory(Rocks& rocks) {
  EventRows rows = RowsInMemory(rocks);
  rows.SeekToLast();
  return SequenceAt(rows);
}

LogScan::LogScan(Rocks& rocks, Salvage& salvage, const Holes& holes, Sequence first, Sequence last_in_tables)
    : rocks_(rocks),
      salvage_(salvage),
      holes_(holes),
      rows_(ScanRows(rocks)),
      next_(first),
      last_in_tables_(last_in_tables) {}

StoreResult<std::optional<ScannedRecord>> LogScan::Next() {
  if (const Sequence outside = holes_.NextOutside(next_); outside != next_) {
    next_ = outside;
    stepped_ = false;
  }
  if (std::exchange(stepped_, false)) {
    rows_.Next();
  } else {
    rows_.Seek(next_);
  }
  if (AtNext()) {
    stepped_ = true;
    return Take(rows_.record());
  }
  if (!rows_.Valid() && !rows_.status().ok()) return FindNext();
  if (!rows_.Valid() && next_ > last_in_tables_) return std::nullopt;
  return std::unexpected(Missing());
}

// One damaged table of the newest ends every scan, wherever it goes.
StoreResult<std::optional<ScannedRecord>> LogScan::FindNext() {
  auto value = FindRecord(rocks_, next_);
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
  for (rows_.Seek(missing); rows_.Valid(); rows_.Next()) {
    const Sequence found = rows_.sequence();
    if (found != kNoSequence && !holes_.Contains(found)) return go_on_at(found);
  }
  if (rows_.status().ok()) return kNoSequence;
  for (Sequence sequence = missing + 1; sequence <= last_in_tables_; ++sequence) {
    if (!holes_.Contains(sequence) && salvage_.Find(sequence)) return go_on_at(sequence);
  }
  const Sequence in_memory = FindInMemory(rocks_, missing);
  return in_memory == kNoSequence ? kNoSequence : go_on_at(holes_.NextOutside(in_memory));
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
