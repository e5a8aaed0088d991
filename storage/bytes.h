// Integers in stored bytes: little endian inside values (read and written in place), big endian inside keys
// (so that the order of the bytes is the order of the numbers).
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace weir::storage {

static_assert(std::endian::native == std::endian::little, "values are read and written in place");

template <typename T>
T LoadLittle(const char* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

// The number at the beginning of `from`, which holds at least that many bytes.
template <typename T>
T LoadLittle(std::string_view from) {
  T value;
  from.copy(reinterpret_cast<char*>(&value), sizeof value);
  return value;
}

template <typename T>
void StoreLittle(char* to, T value) {
  std::memcpy(to, &value, sizeof value);
}

template <typename T>
void AppendLittle(std::string& to, T value) {
  char bytes[sizeof value];
  StoreLittle(bytes, value);
  to.append(bytes, sizeof bytes);
}

inline void StoreBig64(char* to, std::uint64_t value) {
  StoreLittle(to, __builtin_bswap64(value));
}
inline std::uint64_t LoadBig64(std::string_view from) {
  return __builtin_bswap64(LoadLittle<std::uint64_t>(from));
}

inline void AppendBig64(std::string& to, std::uint64_t value) {
  AppendLittle(to, __builtin_bswap64(value));
}
inline void AppendBig32(std::string& to, std::uint32_t value) {
  AppendLittle(to, __builtin_bswap32(value));
}

}  // namespace weir::storage
