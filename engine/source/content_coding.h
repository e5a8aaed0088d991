// Content-Encoding (RFC 9110 §8.4): which values leave the body as it is, and for `weir explain` the codings
// undone. The serving path verifies raw bytes and never decompresses anything.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace weir::source {

// Whether the value of a Content-Encoding field, a list that may have empty members, names nothing that was
// done to the body: "identity", or a character set or transfer encoding that senders put there by mistake
// ("UTF-8", "binary").
bool NamesNoCoding(std::string_view value);

// gzip or zlib (the coding "deflate") by what the bytes begin with. nullopt when they are neither, are
// damaged, or would become more than `bytes_max`.
std::optional<std::string> Inflated(std::string_view bytes, std::size_t bytes_max);

}  // namespace weir::source
