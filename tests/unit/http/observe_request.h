// What a connection that reads a request in given pieces gets to know of it, as text that can be compared.
// For the case documents and the fuzzers.
#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "engine/http/request_parser.h"

namespace weir::http {

// Either `error` and `detail`, or what was parsed; `incomplete` when bytes are missing. Keys as in
// tests/cases/http/README.md, and `rest_bytes`, how many follow the request.
using Summary = std::map<std::string, std::string>;

// Resets the parser, then shows it `bytes` as reads that ended at `ends` would: each prefix of the head in a
// heap block of exactly its size, so that ASan sees a view that outlives its buffer and a byte read past the
// end.
Summary Observe(RequestParser& parser, std::string_view bytes, std::span<const std::size_t> ends);

std::string Describe(const Summary& summary);  // with long values cut

}  // namespace weir::http
