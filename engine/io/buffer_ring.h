// Receive buffers lent to the kernel and given back, one group a ring (io_uring_register_buf_ring, 5.19).
//
//   spare --Replenish--> lent --a completion names it: Take--> ours --Return--> spare
//
// A connection that waits holds no buffer: the kernel picks one when bytes are there. The spare buffers are a
// stack and only as many are lent as one turn has used so far: cycling through all of them would walk 16 MiB
// through the caches, and make every page of it resident, for requests of a kilobyte. When the kernel found
// none left (ENOBUFS) twice as many are lent.
//
// Threads: the ring's only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/io/ring.h"

namespace weir::io {

class BufferRing {
 public:
  struct Shape {
    std::uint16_t group = 0;
    std::size_t count = 0;         // power of two, at most 32768
    std::size_t buffer_bytes = 0;  // one buffer, slack included
    std::size_t slack_bytes = 0;   // behind each buffer's usable part: readable, never written by the kernel
  };

  // The error names the call and what to change. `ring` must outlive the buffers and stay where it is.
  static std::expected<BufferRing, std::string> Create(Ring& ring, Shape shape);
  BufferRing(BufferRing&&) noexcept;
  BufferRing& operator=(BufferRing&&) = delete;
  ~BufferRing();

  std::uint16_t group() const { return shape_.group; }

  // The bytes a receive completion brought (has_buffer() is true). Ours until Return.
  std::string_view Take(const Completion& completion);
  void Return(std::uint16_t buffer_id) { spare_.push_back(buffer_id); }

  // Lends what has come back, in one step. Once a turn, after everything was handled.
  void Replenish();
  // The kernel found no buffer: lend more from the next Replenish on.
  void Grow();

  std::size_t lent() const { return lent_; }

 private:
  struct Unmap {
    std::size_t bytes;
    void operator()(void* memory) const;
  };
  using Mapping = std::unique_ptr<void, Unmap>;
  BufferRing(Ring& ring, Shape shape, Mapping entries, Mapping buffers);

  Ring* ring_;
  Shape shape_;
  Mapping entries_;  // shared with the kernel
  Mapping buffers_;
  std::vector<std::uint16_t> spare_;  // a stack: the buffer used last is the one still in the cache
  std::size_t lent_ = 0;
  std::size_t lend_target_;
};

}  // namespace weir::io
