// Request target -> what is asked for. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "engine/http/request.h"

namespace weir::ingest {

struct Route {
  enum class Kind : std::uint8_t { kSource, kHealth, kServer, kUnknown };
  Kind kind = Kind::kUnknown;
  std::string_view source;  // of kSource: as in POST /webhooks/{source}
};

// Two spellings of a path are the same where RFC 3986 says that nobody may tell them apart: unreserved characters
// percent-encoded or not (§6.2.2.2). And one slash at the end makes no difference. Nothing else is resolved: dot
// segments and empty segments would be a way around a proxy that judges paths. `*` is the server itself (OPTIONS
// only).
//
// `unescaped` is where the views point to when the path holds an escape; it must live as long as they do.
Route RouteOf(const http::Request& request, std::string& unescaped);

}  // namespace weir::ingest
