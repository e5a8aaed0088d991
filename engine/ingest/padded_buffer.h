// The bytes of a request that arrives in pieces, in one place, with the slack behind them that simdjson
// reads.
#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>

#include "engine/limits.h"
#include "storage/check.h"

namespace weir::ingest {

class PaddedBuffer {
 public:
  const char* data() const { return bytes_.get(); }
  std::size_t size() const { return size_; }
  std::size_t capacity() const { return capacity_; }
  std::string_view view() const { return {bytes_.get(), size_}; }

  // Grows to at least `capacity` bytes; moves the bytes when it does.
  void Reserve(std::size_t capacity) {
    if (capacity <= capacity_) return;
    auto larger = std::make_unique_for_overwrite<char[]>(capacity + limits::kJsonPaddingBytes);
    if (size_ > 0) std::memcpy(larger.get(), bytes_.get(), size_);
    bytes_ = std::move(larger);
    capacity_ = capacity;
  }
  // The room must have been reserved.
  void Append(std::string_view bytes) {
    WEIR_CHECK(bytes.size() <= capacity_ - size_);
    if (!bytes.empty()) std::memcpy(bytes_.get() + size_, bytes.data(), bytes.size());
    size_ += bytes.size();
  }
  void Erase(std::size_t at, std::size_t count) {
    WEIR_CHECK(at <= size_ && count <= size_ - at);
    const std::size_t behind = size_ - at - count;
    if (count > 0 && behind > 0) std::memmove(bytes_.get() + at, bytes_.get() + at + count, behind);
    size_ -= count;
  }
  void EraseFront(std::size_t count) { Erase(0, count); }
  void Truncate(std::size_t size) {
    WEIR_CHECK(size <= size_);
    size_ = size;
  }

 private:
  std::unique_ptr<char[]> bytes_;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

}  // namespace weir::ingest
