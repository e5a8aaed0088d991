// The common case of reading an answer, without a parser: one whole answer with a Content-Length at the start
// of what was received. Anything else (in pieces, chunked, 1xx, delimited by the close) is left to
// http::ResponseParser. Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace weir::bench {

struct ScannedAnswer {
  int status = 0;
  std::size_t bytes = 0;  // head and body
  bool keep_alive = true;
};

// nullopt: not the common case, or not all of it is here yet.
std::optional<ScannedAnswer> ScanAnswer(std::string_view received);

}  // namespace weir::bench
