// A verified event as the log takes it.
#pragma once

#include <cstdint>
#include <string_view>

#include "engine/source/verifier.h"
#include "storage/event.h"

namespace weir::ingest {

// `headers`: the request's header fields. All views are the caller's.
inline storage::Event ToStored(const source::VerifiedEvent& event, std::string_view source,
                               std::string_view headers, std::int64_t received_at_us) {
  return {.received_at_us = received_at_us,
          .source = source,
          .id = event.id,
          .type = event.type,
          .malformed = event.malformed,
          .headers = headers,
          .body = event.body,
          .substance = event.substance,
          .attempt = event.attempt,
          .test = event.test,
          .untyped = event.untyped};
}

}  // namespace weir::ingest
