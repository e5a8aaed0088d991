#include "storage/value_codec.h"

#include <xxhash.h>

#include <utility>

namespace weir::storage {
namespace {

std::uint64_t CheckFor(std::string_view key, std::string_view bytes) {
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), XXH3_64bits(key.data(), key.size()));
}

}  // namespace

ValueWriter& ValueWriter::Text(std::string_view text) {
  U32(static_cast<std::uint32_t>(text.size()));
  bytes_.append(text);
  return *this;
}

std::string ValueWriter::Finish(std::string_view key) && {
  U64(CheckFor(key, bytes_));
  return std::move(bytes_);
}

std::optional<ValueReader> ValueReader::Open(std::string_view key, std::string_view value) {
  constexpr std::size_t kCheckBytes = sizeof(std::uint64_t);
  if (value.size() < 1 + kCheckBytes) return std::nullopt;
  const std::string_view fields = value.substr(0, value.size() - kCheckBytes);
  if (LoadLittle<std::uint64_t>(value.substr(fields.size())) != CheckFor(key, fields)) return std::nullopt;
  return ValueReader(static_cast<std::uint8_t>(fields[0]), fields.substr(1));
}

std::string_view ValueReader::Text() {
  const std::size_t size = U32();
  if (rest_.size() < size) {
    ok_ = false;
    rest_ = {};
    return {};
  }
  const std::string_view text = rest_.substr(0, size);
  rest_.remove_prefix(size);
  return text;
}

}  // namespace weir::storage
