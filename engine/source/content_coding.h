// Content codings undone (RFC 9110 §8.4.1), for `weir explain`: the serving path verifies raw bytes and never
// decompresses anything.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace weir::source {

// gzip or zlib (the coding "deflate") by what the bytes begin with. nullopt when they are neither, are
// damaged, or would become more than `bytes_max`.
std::optional<std::string> Inflated(std::string_view bytes, std::size_t bytes_max);

}  // namespace weir::source
