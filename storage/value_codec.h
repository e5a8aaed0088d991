// Every small value of the store: a version, fields, and a checksum over key and fields, so that a value is
// recognised as damaged and also as being somebody else's. Records of events have their own codec.
//
//   value := version:u8 fields check:u64      check := XXH3-64 of version and fields, seeded with XXH3-64 of
//   the key text  := bytes:u32 bytes
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "storage/bytes.h"

namespace weir::storage {

class ValueWriter {
 public:
  explicit ValueWriter(std::uint8_t version) { bytes_.push_back(static_cast<char>(version)); }

  ValueWriter& U8(std::uint8_t value) { return Number(value); }
  ValueWriter& U32(std::uint32_t value) { return Number(value); }
  ValueWriter& U64(std::uint64_t value) { return Number(value); }
  ValueWriter& I64(std::int64_t value) { return Number(value); }
  ValueWriter& Text(std::string_view text);

  // Adds the checksum for a value that will be stored under `key`.
  std::string Finish(std::string_view key) &&;

 private:
  template <typename T>
  ValueWriter& Number(T value) {
    AppendLittle(bytes_, value);
    return *this;
  }
  std::string bytes_;
};

// Reads fields in the order they were written. Reading past the end gives zeros and empty texts and clears
// ok(): callers read everything, then look once.
class ValueReader {
 public:
  // nullopt when the checksum does not match.
  static std::optional<ValueReader> Open(std::string_view key, std::string_view value);

  std::uint8_t version() const { return version_; }
  std::uint8_t U8() { return Number<std::uint8_t>(); }
  std::uint32_t U32() { return Number<std::uint32_t>(); }
  std::uint64_t U64() { return Number<std::uint64_t>(); }
  std::int64_t I64() { return Number<std::int64_t>(); }
  std::string_view Text();
  // Every field was there and nothing is left over.
  bool Complete() const { return ok_ && rest_.empty(); }

 private:
  ValueReader(std::uint8_t version, std::string_view rest) : version_(version), rest_(rest) {}
  template <typename T>
  T Number() {
    if (rest_.size() < sizeof(T)) {
      ok_ = false;
      rest_ = {};
      return 0;
    }
    const T value = LoadLittle<T>(rest_);
    rest_.remove_prefix(sizeof(T));
    return value;
  }

  std::uint8_t version_;
  std::string_view rest_;
  bool ok_ = true;
};

}  // namespace weir::storage
