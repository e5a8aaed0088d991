// What a table of the log says of itself: which events it holds, and the two ends of their chain. Collected while the table
// is written, by a flush or a merge, so that an open can ask whether the tables join without reading what is in them.
//
// Internal to storage/.
#pragma once

#include <rocksdb/table_properties.h>

#include <cstdint>
#include <memory>
#include <optional>

#include "storage/event.h"

namespace weir::storage {

struct TableSpan {
  Sequence first = kNoSequence;
  Sequence last = kNoSequence;
  std::uint64_t records = 0;
  std::uint64_t previous_check = 0;  // what the first record says of the one before it
  std::uint64_t last_check = 0;      // of the last record
};

std::shared_ptr<rocksdb::TablePropertiesCollectorFactory> TableSpanCollectors();

// nullopt: the table says nothing of the kind.
std::optional<TableSpan> SpanOf(const rocksdb::TableProperties& properties);

}  // namespace weir::storage
