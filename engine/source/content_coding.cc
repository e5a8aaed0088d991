#include "engine/source/content_coding.h"

#include <zlib.h>

#include <algorithm>
#include <array>

#include "engine/http/request.h"
#include "engine/limits.h"

namespace weir::source {
namespace {

constexpr int kGzipOrZlib = MAX_WBITS + 32;  // zlib.h: detect which of them
constexpr std::size_t kChunkBytes = 64 * limits::kKiB;

constexpr std::array<std::string_view, 10> kNoCodings = {
    "identity", "none", "utf-8", "utf8", "us-ascii", "ascii", "iso-8859-1", "7bit", "8bit", "binary"};

std::string_view Trimmed(std::string_view text) {
  constexpr std::string_view kBlanks = " \t";
  const std::size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

}  // namespace

bool NamesNoCoding(std::string_view value) {
  while (!value.empty()) {
    const std::size_t end = value.find(',');
    const std::string_view coding = Trimmed(value.substr(0, end));
    value.remove_prefix(end == std::string_view::npos ? value.size() : end + 1);
    const bool none = coding.empty() || std::ranges::any_of(kNoCodings, [coding](std::string_view name) {
                        return http::EqualsIgnoreCase(coding, name);
                      });
    if (!none) return false;
  }
  return true;
}

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
