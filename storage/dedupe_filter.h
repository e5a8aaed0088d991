// Which fingerprints a sealed run may hold: a split-block Bloom filter (Putze, Sanders, Singler: "Cache-,
// Hash- and Space-Efficient Bloom Filters"; the layout Parquet uses). One cache line a lookup, 12 bits an
// entry, about 0.5 % wrong "maybe", never a wrong "no".
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "storage/dedupe_table.h"

namespace weir::storage {

class DedupeFilter {
 public:
  // Empty: every lookup is a maybe.
  DedupeFilter() = default;
  explicit DedupeFilter(std::size_t entries);
  // The bytes of another filter; empty bytes make an empty filter.
  static DedupeFilter FromBytes(std::string_view bytes);

  static std::size_t BytesFor(std::size_t entries);
  void Add(Fingerprint fingerprint);
  bool MayContain(Fingerprint fingerprint) const {
    if (blocks_.empty()) return true;
    const Block& block = blocks_[IndexOf(fingerprint)];
    std::uint32_t missing = 0;
    for (std::size_t word = 0; word < kWords; ++word) missing |= Bit(fingerprint, word) & ~block[word];
    return missing == 0;
  }
  void Prefetch(Fingerprint fingerprint) const {
    if (!blocks_.empty()) __builtin_prefetch(&blocks_[IndexOf(fingerprint)]);
  }
  std::string_view bytes() const;

 private:
  static constexpr std::size_t kWords = 8;
  using Block = std::array<std::uint32_t, kWords>;
  static constexpr std::array<std::uint32_t, kWords> kSalts = {
      0x47b6137bU, 0x44974d91U, 0x8824ad5bU, 0xa2b7289dU, 0x705495c7U, 0x2df1424bU, 0x9efc4947U, 0x5c6bfb31U};

  // The block comes from the upper half of the fingerprint, the bits from the lower.
  std::size_t IndexOf(Fingerprint fingerprint) const { return ((fingerprint >> 32) * blocks_.size()) >> 32; }
  static std::uint32_t Bit(Fingerprint fingerprint, std::size_t word) {
    return std::uint32_t{1} << ((static_cast<std::uint32_t>(fingerprint) * kSalts[word]) >> 27);
  }

  std::vector<Block> blocks_;
};

}  // namespace weir::storage
