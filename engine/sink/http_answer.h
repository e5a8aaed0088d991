// A sink's answer -> outcome. Pure.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "engine/http/response_parser.h"
#include "engine/sink/sink.h"

namespace weir::sink {

// 2xx settles. A status in `dead_letter_statuses` is a refusal for good. Retry-After counts on 429 and 503
// only, where RFC 9110 §15.6.4 and RFC 6585 §4 give it a meaning for a repeated request. Everything else,
// redirects included (they are never followed: the signed body goes to the address the operator named), is a
// failure to try again.
Outcome Judge(const http::Response& answer, std::span<const int> dead_letter_statuses,
              std::int64_t now_unix_s);

}  // namespace weir::sink
