// GET /api/dlq, POST /api/dlq/retry and /api/dlq/drop; GET /api/dlq/count is in dead_letter_counts.h.
#pragma once

#include <cstdint>

#include "engine/admin/api_request.h"
#include "engine/admin/wiring.h"
#include "engine/deliver/worker.h"

namespace weir::admin {

// Filters, limit, after. The one that died last first:
// {"dead_letters":[…],"total":N,"after":"TIME/SINK/SEQUENCE","more":bool}; the next request passes `after` on.
ApiReply ListDeadLetters(const Wiring& wiring, const ApiRequest& request, std::int64_t now_us);

// Filters or all=1, and dry_run, after. Acts on at most limits::kDeadLettersPerActionMax letters:
// {"action","dry_run","matched","done","sinks":{NAME:N},"skipped":[{"sink","count","reason"}],"after","more"}.
//
// While a server runs its worker executes the action, on its next turn: it is the only writer of its sink's
// state. Otherwise the store is changed here; a retried event is due at once and has all its attempts again.
ApiReply ActOnDeadLetters(const Wiring& wiring, const ApiRequest& request,
                          deliver::DeadLetterAction::Kind kind, std::int64_t now_us);

}  // namespace weir::admin
