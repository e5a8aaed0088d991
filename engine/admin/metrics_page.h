// The probes as Prometheus text (exposition format 0.0.4). Metric names are contracts: docs and alerts are
// written against them. Pure apart from the relaxed reads.
#pragma once

#include <cstdint>
#include <string>

#include "engine/admin/process_use.h"
#include "engine/admin/wiring.h"
#include "storage/event_store.h"

namespace weir::admin {

inline constexpr const char* kMetricsContentType = "text/plain; version=0.0.4; charset=utf-8";

// What the page says about the store and its disk, read by the caller because it may fail.
struct StoreFacts {
  storage::StoreStatistics statistics;
  std::uint64_t ingest_dead_letters = 0;  // of storage::kIngestSink, which has no worker to tell
};

std::string MetricsPage(const Live& live, const StoreFacts& facts, const ProcessUse& process,
                        std::int64_t now_us);

}  // namespace weir::admin
