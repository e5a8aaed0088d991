// GET and PUT /api/cursor?name=NAME: how far an export came, as a text its consumer chose, kept in the
// store's meta so that it outlives both sides. The store does not look inside.
#pragma once

#include "engine/admin/api_request.h"
#include "storage/event_store.h"

namespace weir::admin {

// 1 to 64 of A-Z a-z 0-9 . _ -
bool IsCursorName(std::string_view name);

// {"name":"…","value":"…"}, value null when there is no such cursor.
ApiReply GetCursor(const storage::EventStore& store, const ApiRequest& request);
// The body becomes the value, at most limits::kExportCursorBytesMax. Answered when it is stored.
ApiReply PutCursor(storage::EventStore& store, const ApiRequest& request);

}  // namespace weir::admin
