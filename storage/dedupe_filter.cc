#include "storage/dedupe_filter.h"

#include <algorithm>
#include <cstring>

#include "storage/check.h"

namespace weir::storage {
namespace {

constexpr std::size_t kBitsPerEntry = 12;

}  // namespace

std::size_t DedupeFilter::BytesFor(std::size_t entries) {
  const std::size_t blocks = (entries * kBitsPerEntry + sizeof(Block) * 8 - 1) / (sizeof(Block) * 8);
  return std::max<std::size_t>(blocks, 1) * sizeof(Block);
}

DedupeFilter::DedupeFilter(std::size_t entries) : blocks_(BytesFor(entries) / sizeof(Block)) {
  WEIR_CHECK_LE(blocks_.size(), 0xFFFF'FFFFu);
}

DedupeFilter DedupeFilter::FromBytes(std::string_view bytes) {
  WEIR_CHECK_EQ(bytes.size() % sizeof(Block), 0u);
  DedupeFilter filter;
  filter.blocks_.resize(bytes.size() / sizeof(Block));
  if (!bytes.empty()) std::memcpy(filter.blocks_.data(), bytes.data(), bytes.size());
  return filter;
}

void DedupeFilter::Add(Fingerprint fingerprint) {
  Block& block = blocks_[IndexOf(fingerprint)];
  for (std::size_t word = 0; word < kWords; ++word) block[word] |= Bit(fingerprint, word);
}

std::string_view DedupeFilter::bytes() const {
  return {reinterpret_cast<const char*>(blocks_.data()), blocks_.size() * sizeof(Block)};
}

}  // namespace weir::storage
