// GET /api/dlq/count: how many dead letters there are of what.
#pragma once

#include <cstdint>

#include "engine/admin/api_request.h"
#include "engine/admin/wiring.h"

namespace weir::admin {

// Filters, and by: some of "reason,sink,source,type".
// {"count":N,"groups":[{"reason":…,"sink":…,"count":N}]}, the largest group first; no groups without `by`.
ApiReply CountDeadLetters(const Wiring& wiring, const ApiRequest& request, std::int64_t now_us);

}  // namespace weir::admin
