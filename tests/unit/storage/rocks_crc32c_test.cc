// What the executable puts in place of RocksDB's own CRC32C.
#include <dlfcn.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <random>
#include <string>

namespace rocksdb::crc32c {
std::uint32_t Extend(std::uint32_t before, const char* data, std::size_t size);
}

namespace weir::storage {
namespace {

constexpr const char* kSymbol = "_ZN7rocksdb6crc32c6ExtendEjPKcm";
using ExtendFunction = std::uint32_t (*)(std::uint32_t, const char*, std::size_t);

std::string Bytes(std::size_t size) {
  std::mt19937 random(7);
  std::string bytes(size, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random());
  return bytes;
}

TEST(RocksCrc32c, IsTheOneOfRfc3720) {
  const std::string zeros(32, '\0');  // RFC 3720 §B.4
  EXPECT_EQ(rocksdb::crc32c::Extend(0, zeros.data(), zeros.size()), 0x8a9136aau);
}

TEST(RocksCrc32c, AgreesWithTheLibrarysOwnAtEveryLengthAndAlignment) {
  const auto own = reinterpret_cast<ExtendFunction>(dlsym(RTLD_NEXT, kSymbol));
  ASSERT_NE(own, nullptr);
  const std::string bytes = Bytes(5000);
  for (std::size_t offset = 0; offset < 9; ++offset) {
    for (std::size_t size = 0; size < 600; ++size) {
      ASSERT_EQ(rocksdb::crc32c::Extend(0, bytes.data() + offset, size), own(0, bytes.data() + offset, size));
    }
  }
  EXPECT_EQ(rocksdb::crc32c::Extend(0, bytes.data(), bytes.size()), own(0, bytes.data(), bytes.size()));
}

TEST(RocksCrc32c, GoesOnFromTheChecksumOfTheBeginning) {
  const std::string bytes = Bytes(1000);
  const std::uint32_t beginning = rocksdb::crc32c::Extend(0, bytes.data(), 333);
  EXPECT_EQ(rocksdb::crc32c::Extend(beginning, bytes.data() + 333, bytes.size() - 333),
            rocksdb::crc32c::Extend(0, bytes.data(), bytes.size()));
}

TEST(RocksCrc32c, IsWhatTheLibraryIsBoundTo) {
  Dl_info found{};
  ASSERT_NE(dladdr(dlsym(RTLD_DEFAULT, kSymbol), &found), 0);
  Dl_info executable{};
  ASSERT_NE(dladdr(reinterpret_cast<const void*>(&rocksdb::crc32c::Extend), &executable), 0);
  EXPECT_EQ(found.dli_fbase, executable.dli_fbase);
  EXPECT_EQ(std::string(found.dli_fname).find("librocksdb"), std::string::npos);
}

}  // namespace
}  // namespace weir::storage
