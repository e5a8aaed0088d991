// Everything an operator looks at first, as one JSON object: GET /api/status and `weir status --json`.
//
// Totals and latencies count from the start of the process; a rate is the difference of two reports. Without
// a running server "server" says so and only what the store knows is there.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>

#include "engine/admin/wiring.h"
#include "storage/event_store.h"

namespace weir::admin {

storage::StoreResult<nlohmann::ordered_json> StatusReport(const Wiring& wiring, std::int64_t now_us);

}  // namespace weir::admin
