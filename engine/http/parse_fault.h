// Why a request was refused: the answer it gets and a sentence for the log that holds none of its bytes.
#pragma once

#include <string_view>

#include "engine/http/request_parser.h"

namespace weir::http {

struct ParseFault {
  ParseError error = ParseError::kMalformed;
  std::string_view detail;  // a literal
};

}  // namespace weir::http
