// The request line (RFC 9112 §3): method, target, version, and what this server serves of each.
#pragma once

#include <expected>
#include <string_view>

#include "engine/http/parse_fault.h"
#include "engine/http/request.h"

namespace weir::http {

// Fills method, method_text, target, path, query and minor_version from `line` (without its CRLF, no control
// characters). Origin-form is served. Absolute-form must be understood by a server (RFC 9112 §3.2.2): its
// path and query count, its authority is checked and then ignored, as no route depends on a host. HTTP/1.2 and later
// are read as 1.1. `*` belongs
// to OPTIONS alone; authority-form is refused. A method that is a token but not one of Method becomes kOther,
// for the caller to answer 405.
std::expected<void, ParseFault> ParseRequestLine(std::string_view line, Request& request);

}  // namespace weir::http
