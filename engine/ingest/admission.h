// May the body of this request come in? Decided from its head and the load, before a byte of the body is
// kept. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "engine/http/request.h"
#include "engine/observe/shard_probe.h"

namespace weir::ingest {

struct Load {
  bool storable = true;
  std::int64_t inflight_bytes = 0;  // of all shards
  std::int64_t inflight_bytes_max = 0;
  std::int64_t disk_budget_bytes = 0;  // what may still be appended before the next look at the free space
  std::int64_t appends_waiting = 0;    // for the committer
};

// A length is asked of POST only: other methods have a body when they say so (RFC 9112 §6.3).
std::optional<observe::RejectionCode> CheckFraming(const http::Request& request, std::size_t body_bytes_max);

// The load counts what is declared; a chunked body, which declares nothing, is counted as it grows.
std::optional<observe::RejectionCode> CheckLoad(const http::Request& request, const Load& load);

}  // namespace weir::ingest
