// Where a sink would start if it were configured like this: asked by weir check, changes nothing.
#pragma once

#include <cstdint>

#include "engine/admin/api_request.h"
#include "storage/event_store.h"

namespace weir::admin {

// Parameters: sink, and start as the configuration writes it.
ApiReply ShowSinkStart(const storage::EventStore& store, const ApiRequest& request, std::int64_t now_us);

}  // namespace weir::admin
