// The timeline's rows in the database.
#pragma once

#include <optional>
#include <vector>

#include "storage/rocks.h"
#include "storage/timeline.h"

namespace weir::storage {

struct TimelineRows {
  std::vector<Timeline::Tick> ticks;  // ascending
  std::optional<Timeline::Left> left;
};
// Rows that are damaged are left out: events are taken for younger then.
StoreResult<TimelineRows> LoadTimeline(Rocks& rocks);
void PutTimeline(rocksdb::WriteBatch& updates, const Rocks& rocks, const Timeline::Change& change,
                 const Timeline::Left& left);

}  // namespace weir::storage
