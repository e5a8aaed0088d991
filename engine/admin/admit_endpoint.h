// POST /dlq/admit: events that lie where nobody can deliver them, under an id of the operator's choice. Dead letters of
// events that never were deliverable, and kept conflicts.
#pragma once

#include <cstdint>

#include "engine/admin/api_request.h"
#include "engine/admin/wiring.h"

namespace weir::admin {

// letter=SEQUENCE, conflict=SEQUENCE:HASH, or the filters of dead letters; new_id, in which {sequence} stands for the
// letter's sequence and which several letters therefore need; new_type; dry_run; after. Each event is stored, and what
// it was removed, in one commit: through the running server's committer, or directly where no server runs.
ApiReply AdmitDeadLetters(const Wiring& wiring, const ApiRequest& request, std::int64_t now_us);

}  // namespace weir::admin
