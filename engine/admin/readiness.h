// Whether new events can be stored right now, and if not why. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/ingest/shard.h"
#include "storage/event_store.h"

namespace weir::admin {

// Empty: ready.
std::vector<std::string> ReasonsNotReady(const ingest::Gate& gate, const storage::StoreStatistics& statistics,
                                         std::uint64_t disk_free_bytes, std::uint64_t min_free_disk_bytes);

}  // namespace weir::admin
