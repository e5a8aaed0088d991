// Request target -> what is asked for. Pure.
#pragma once

#include <cstdint>
#include <string_view>

#include "engine/http/request.h"

namespace weir::ingest {

struct Route {
  enum class Kind : std::uint8_t { kSource, kHealth, kUnknown };
  Kind kind = Kind::kUnknown;
  std::string_view source;  // kSource: as in POST /webhooks/{source}, not decoded: names need no escapes
};

// Takes the absolute form too (RFC 9112 §3.2.2): a proxy may send it.
Route RouteOf(const http::Request& request);

}  // namespace weir::ingest
