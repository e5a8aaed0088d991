// POST /api/sinks/skip.
#pragma once

#include <cstdint>

#include "engine/admin/api_request.h"
#include "engine/admin/wiring.h"

namespace weir::admin {

// sink=NAME. Its worker goes past every event that cannot be read where it has stopped, on its next turn; each
// becomes a dead letter with the reason "unreadable". {"sink","stopped_at"}; 0 where it has not stopped.
// 409 without a running server: only then does a sink stop.
ApiReply SkipUnreadable(const Wiring& wiring, const ApiRequest& request, std::int64_t now_us);

}  // namespace weir::admin
