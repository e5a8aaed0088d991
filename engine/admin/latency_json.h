// A histogram of nanoseconds as the figures that people look at.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "engine/admin/totals.h"

namespace weir::admin {

// {"count","p50_ms","p99_ms","p999_ms"}
nlohmann::ordered_json LatencyJson(const HistogramTotals& totals);

}  // namespace weir::admin
