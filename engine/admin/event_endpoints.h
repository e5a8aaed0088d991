// GET /api/events, /api/events/count, /api/events/show and /api/export. Each looks at a bounded part of the
// log and says where the next request goes on.
#pragma once

#include <cstdint>

#include "engine/admin/api_request.h"
#include "engine/admin/snapshot_cache.h"
#include "engine/admin/wiring.h"

namespace weir::admin {

inline constexpr const char* kNextSequenceHeader = "Weir-Next-Sequence";
inline constexpr const char* kFinishedHeader = "Weir-Finished";  // 0 or 1
inline constexpr const char* kEventsHeader = "Weir-Events";
inline constexpr const char* kUnreadableHeader =
    "Weir-Unreadable";  // how many were passed over, then the first ones

// Filters, limit, before. Newest first: {"events":[…],"before":N,"finished":bool}; the next request passes
// `before` on. Events that the walk passed over are in "unreadable":{"count":N,"sequences":[…]}, in every answer here that
// had some.
ApiReply ListEvents(const Wiring& wiring, SnapshotCache& snapshots, const ApiRequest& request,
                    std::int64_t now_us);
// Filters, from. {"count":N,"next":N,"finished":bool}
ApiReply CountEvents(const Wiring& wiring, SnapshotCache& snapshots, const ApiRequest& request,
                     std::int64_t now_us);
// sequence, or source and id while the dedupe window remembers them; body=1 adds body_base64.
ApiReply ShowEvent(const Wiring& wiring, SnapshotCache& snapshots, const ApiRequest& request,
                   std::int64_t now_us);
// Filters, format, from; header=1 begins CSV with its header row. Where to go on is in the headers above.
ApiReply ExportEvents(const Wiring& wiring, SnapshotCache& snapshots, const ApiRequest& request,
                      std::int64_t now_us);

}  // namespace weir::admin
