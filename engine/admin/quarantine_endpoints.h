// GET /api/quarantine and /api/quarantine/show, POST /api/quarantine/admit and /api/quarantine/drop.
#pragma once

#include <cstdint>

#include "engine/admin/api_request.h"
#include "engine/admin/wiring.h"

namespace weir::admin {

// id, source, reason, since, until, limit, after. The newest first:
// {"entries":[…],"total":N,"torn":[{"source","segment","offset","bytes"}],"after":"TIME/ID","more":bool}; the next
// request passes `after` on. An id may also be the X-Request-Id of the answer. Nothing of an entry's payload is in it.
ApiReply ListQuarantine(const Wiring& wiring, const ApiRequest& request, std::int64_t now_us);

// id; body=1 adds body_base64. Values of headers that carry credentials are replaced by their length.
ApiReply ShowQuarantined(const Wiring& wiring, const ApiRequest& request);

enum class QuarantineAction : std::uint8_t { kAdmit, kDrop };

// id, or filters, or all=1; and dry_run, after. One request acts on a bounded number of entries:
// {"action","dry_run","matched","done","admitted":[{"id","event_id","sequence","stored","duplicates"}],
// "refused":[{"id","reason"}],"after","more"}. What was admitted or dropped is gone; what was refused stays.
//
// Admitting needs a server: it is the only one who commits.
ApiReply ActOnQuarantine(const Wiring& wiring, const ApiRequest& request, QuarantineAction action,
                         std::int64_t now_us);

}  // namespace weir::admin
