#include "engine/ingest/admission.h"

#include "engine/limits.h"

namespace weir::ingest {

using observe::RejectionCode;

std::optional<RejectionCode> CheckFraming(const http::Request& request, std::size_t body_bytes_max) {
  if (request.content_length) {
    if (*request.content_length > body_bytes_max) return RejectionCode::kBodyTooLarge;
  } else if (!request.chunked && request.method == http::Method::kPost) {
    return RejectionCode::kLengthRequired;
  }
  return std::nullopt;
}

std::optional<RejectionCode> CheckLoad(const http::Request& request, const Load& load) {
  const auto bytes =
      static_cast<std::int64_t>(request.content_length.value_or(0) + request.header_block.size());
  if (!load.storable || load.inflight_bytes + bytes > load.inflight_bytes_max ||
      load.disk_budget_bytes < bytes ||
      load.appends_waiting >= static_cast<std::int64_t>(limits::kCommitQueueEvents)) {
    return RejectionCode::kOverloaded;
  }
  return std::nullopt;
}

}  // namespace weir::ingest
