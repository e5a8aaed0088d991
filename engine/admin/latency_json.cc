#include "engine/admin/latency_json.h"

#include <nlohmann/json.hpp>

namespace weir::admin {

nlohmann::ordered_json LatencyJson(const HistogramTotals& totals) {
  return {{"count", totals.count},
          {"p50_ms", totals.Quantile(0.5) / 1e6},
          {"p99_ms", totals.Quantile(0.99) / 1e6},
          {"p999_ms", totals.Quantile(0.999) / 1e6}};
}

}  // namespace weir::admin
