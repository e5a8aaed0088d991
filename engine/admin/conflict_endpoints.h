// Kept conflicts: requests that brought other bytes under the id of a stored event.
#pragma once

#include <cstdint>

#include "engine/admin/api_request.h"
#include "engine/admin/event_query.h"
#include "storage/event_store.h"

namespace weir::admin {

// What GET /events and /events/count answer for state=conflict. Newest stored event first; a page never ends between
// two conflicts of one event, so that it may be longer than `limit`.
ApiReply ListConflicts(const storage::EventStore& store, const EventFilter& filter, storage::Sequence before,
                       std::size_t limit);
ApiReply CountConflicts(const storage::EventStore& store, const EventFilter& filter);
// GET /events/show?conflict=SEQUENCE:HASH
ApiReply ShowConflict(const storage::EventStore& store, const ApiRequest& request);
// POST /conflicts/drop?conflict=SEQUENCE:HASH
ApiReply DropConflict(storage::EventStore& store, const ApiRequest& request);

}  // namespace weir::admin
