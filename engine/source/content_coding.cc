#include "engine/source/content_coding.h"

#include <zlib.h>

#include <array>

#include "engine/limits.h"

namespace weir::source {
namespace {

constexpr int kGzipOrZlib = MAX_WBITS + 32;  // zlib.h: detect which of them
constexpr std::size_t kChunkBytes = 64 * limits::kKiB;

}  // namespace

std::optional<std::string> Inflated(std::string_view bytes, std::size_t bytes_max) {
  z_stream stream{};
  if (inflateInit2(&stream, kGzipOrZlib) != Z_OK) return std::nullopt;
  std::string in(bytes);  // zlib's input is not const
  stream.next_in = reinterpret_cast<Bytef*>(in.data());
  stream.avail_in = static_cast<uInt>(in.size());
  std::string out;
  std::array<char, kChunkBytes> chunk;
  int state = Z_OK;
  while (state == Z_OK && out.size() <= bytes_max) {
    stream.next_out = reinterpret_cast<Bytef*>(chunk.data());
    stream.avail_out = static_cast<uInt>(chunk.size());
    state = inflate(&stream, Z_NO_FLUSH);
    out.append(chunk.data(), chunk.size() - stream.avail_out);
    if (stream.avail_in == 0 && stream.avail_out != 0) break;
  }
  inflateEnd(&stream);
  if (state != Z_STREAM_END || out.size() > bytes_max) return std::nullopt;
  return out;
}

}  // namespace weir::source
