// Asks the running server to read its configuration again.
#pragma once

#include "engine/admin/api_request.h"
#include "engine/admin/wiring.h"

namespace weir::admin {

// 200 with what changed, 400 with every mistake when the file is wrong and nothing changed, 503 when the server is
// stopping, 409 when none runs.
ApiReply ReloadConfiguration(const Wiring& wiring, const ApiRequest& request);

}  // namespace weir::admin
