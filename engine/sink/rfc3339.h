// Unix microseconds -> "2026-11-21T21:16:00.123456Z" (RFC 3339 §5.6, UTC). Pure.
#pragma once

#include <cstdint>
#include <string>

namespace weir::sink {

void AppendRfc3339(std::string& out, std::int64_t unix_us);

}  // namespace weir::sink
