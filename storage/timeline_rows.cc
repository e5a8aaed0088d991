//   time     at_us:i64 unix_us:i64 uptime_us:i64 boot_id:text      (version 1)
//   tick     at_us:i64 unix_us:i64                                 (version 1)
#include "storage/timeline_rows.h"

#include <memory>
#include <string>
#include <utility>

#include "storage/keys.h"
#include "storage/value_codec.h"

namespace weir::storage {
namespace {

constexpr std::uint8_t kVersion = 1;

std::optional<ValueReader> OpenVersion1(std::string_view key, std::string_view value) {
  auto reader = ValueReader::Open(key, value);
  if (reader && reader->version() != kVersion) return std::nullopt;
  return reader;
}

}  // namespace

StoreResult<TimelineRows> LoadTimeline(Rocks& rocks) {
  TimelineRows loaded;
  const auto time = rocks.Get(Family::kMeta, kTimeKey);
  if (!time) return std::unexpected(time.error());
  if (auto reader = *time ? OpenVersion1(kTimeKey, **time) : std::nullopt) {
    Timeline::Left left{.at_us = reader->I64(), .unix_us = reader->I64()};
    left.uptime.us = reader->I64();
    left.uptime.boot_id = reader->Text();
    if (reader->Complete()) loaded.left = std::move(left);
  }
  Rows rows(rocks, Family::kMeta, TickPrefix());
  for (; rows.Valid(); rows.Next()) {
    const auto through = ParseTickKey(rows.key());
    auto reader = OpenVersion1(rows.key(), rows.value());
    if (!through || !reader) continue;
    const Timeline::Tick tick{.through = *through, .at_us = reader->I64(), .unix_us = reader->I64()};
    if (reader->Complete() && (loaded.ticks.empty() || loaded.ticks.back().at_us <= tick.at_us))
      loaded.ticks.push_back(tick);
  }
  if (!rows.status().ok()) return std::unexpected(ErrorFrom(rows.status(), "to read the store's time"));
  return loaded;
}

void PutTimeline(rocksdb::WriteBatch& updates, const Rocks& rocks, const Timeline::Change& change,
                 const Timeline::Left& left) {
  for (const Sequence through : change.removed) updates.Delete(rocks.family(Family::kMeta), TickKey(through));
  if (change.added) {
    const std::string key = TickKey(change.added->through);
    ValueWriter writer(kVersion);
    writer.I64(change.added->at_us).I64(change.added->unix_us);
    updates.Put(rocks.family(Family::kMeta), key, std::move(writer).Finish(key));
  }
  ValueWriter writer(kVersion);
  writer.I64(left.at_us).I64(left.unix_us).I64(left.uptime.us).Text(left.uptime.boot_id);
  updates.Put(rocks.family(Family::kMeta), ToSlice(kTimeKey), std::move(writer).Finish(kTimeKey));
}

}  // namespace weir::storage
