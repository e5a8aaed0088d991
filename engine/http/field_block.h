// The field lines of a request head (RFC 9112 §5) -> names and values. Pure.
#pragma once

#include <cstddef>
#include <expected>
#include <span>
#include <string_view>

#include "engine/http/parse_fault.h"
#include "engine/http/request.h"

namespace weir::http {

// `block` is whole lines, "name: value\r\n" each, as HeadScanner left them: no control character but HTAB, no
// obs-fold, at most fields.size() lines. Answers how many there are. A name is a token that ends at the colon (a
// space before it is what lets two readers see two fields, §5.1); a value loses the OWS around it.
std::expected<std::size_t, ParseFault> ParseFieldBlock(std::string_view block, std::span<Field> fields);

}  // namespace weir::http
