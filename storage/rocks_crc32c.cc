// The checksum of RocksDB's log, taken over by the processor's own instruction.
//
// RocksDB picks its CRC32C when it is compiled ("runtime detection no longer supported on x86",
// util/crc32c.cc), and a distribution compiles for the oldest x86-64: a table, a byte at a time, which costs
// a commit more than everything else in it. The function is exported, so the definition in the executable is
// the one that the shared library calls (ELF symbol interposition, as allocators use it). Same polynomial,
// same bytes on disk. A RocksDB that binds its own symbols at link time, or whose function has another name,
// keeps its own: slower, as correct.
#include <isa-l/crc.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace rocksdb::crc32c {

// The CRC32C (RFC 3720 §12.1) of a text whose beginning has the checksum `before`. Any thread.
std::uint32_t Extend(std::uint32_t before, const char* data, std::size_t size);

std::uint32_t Extend(std::uint32_t before, const char* data, std::size_t size) {
  constexpr std::size_t kStepBytes = std::size_t{1} << 30;  // the library counts in int
  std::uint32_t sum = ~before;
  while (size > 0) {
    const std::size_t step = std::min(size, kStepBytes);
    // Declared without const, read only.
    auto* bytes = const_cast<unsigned char*>(reinterpret_cast<const unsigned char*>(data));
    sum = crc32_iscsi(bytes, static_cast<int>(step), sum);
    data += step;
    size -= step;
  }
  return ~sum;
}

}  // namespace rocksdb::crc32c
