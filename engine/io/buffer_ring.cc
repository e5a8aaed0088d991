#include "engine/io/buffer_ring.h"

#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "engine/io/system_error.h"
#include "storage/check.h"

namespace weir::io {
namespace {

constexpr std::size_t kLentAtFirst = 256;

// Anonymous and page aligned, as the kernel wants the entries to be; pages become resident when first
// touched.
void* MapPages(std::size_t bytes) {
  void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return memory == MAP_FAILED ? nullptr : memory;
}

}  // namespace

void BufferRing::Unmap::operator()(void* memory) const {
  munmap(memory, bytes);
}

std::expected<BufferRing, std::string> BufferRing::Create(Ring& ring, Shape shape) {
  WEIR_CHECK(shape.count > 0 && (shape.count & (shape.count - 1)) == 0 && shape.count <= 32768);
  WEIR_CHECK(shape.slack_bytes < shape.buffer_bytes);

  const std::size_t entry_bytes = shape.count * sizeof(io_uring_buf);
  const std::size_t buffer_bytes = shape.count * shape.buffer_bytes;
  Mapping entries(MapPages(entry_bytes), Unmap{entry_bytes});
  Mapping buffers(MapPages(buffer_bytes), Unmap{buffer_bytes});
  if (entries == nullptr || buffers == nullptr) {
    return std::unexpected(DescribeError("mmap of the receive buffers", errno));
  }

  io_uring_buf_reg registration{};
  registration.ring_addr = reinterpret_cast<std::uintptr_t>(entries.get());
  registration.ring_entries = static_cast<std::uint32_t>(shape.count);
  registration.bgid = shape.group;
  const int result = io_uring_register_buf_ring(ring.raw(), &registration, 0);
  if (result < 0) {
    std::string sentence = DescribeError("io_uring_register_buf_ring", -result);
    if (result == -ENOMEM) sentence += ": raise the limit of locked memory (ulimit -l, LimitMEMLOCK=)";
    if (result == -EINVAL) sentence += ": Linux 6.0 or newer is needed";
    return std::unexpected(std::move(sentence));
  }
  return BufferRing(ring, shape, std::move(entries), std::move(buffers));
}

BufferRing::BufferRing(Ring& ring, Shape shape, Mapping entries, Mapping buffers)
    : ring_(&ring),
      shape_(shape),
      entries_(std::move(entries)),
      buffers_(std::move(buffers)),
      lend_target_(std::min(shape.count, kLentAtFirst)) {
  io_uring_buf_ring_init(static_cast<io_uring_buf_ring*>(entries_.get()));
  spare_.reserve(shape.count);
  for (std::size_t id = shape.count; id > 0; --id) spare_.push_back(static_cast<std::uint16_t>(id - 1));
  Replenish();
}

BufferRing::BufferRing(BufferRing&& other) noexcept
    : ring_(std::exchange(other.ring_, nullptr)),
      shape_(other.shape_),
      entries_(std::move(other.entries_)),
      buffers_(std::move(other.buffers_)),
      spare_(std::move(other.spare_)),
      lent_(other.lent_),
      lend_target_(other.lend_target_) {}

BufferRing::~BufferRing() {
  if (ring_ != nullptr) io_uring_unregister_buf_ring(ring_->raw(), shape_.group);
}

std::string_view BufferRing::Take(const Completion& completion) {
  WEIR_CHECK(completion.has_buffer() && lent_ > 0);
  --lent_;
  const char* buffers = static_cast<const char*>(buffers_.get());
  return {buffers + completion.buffer_id() * shape_.buffer_bytes,
          static_cast<std::size_t>(std::max(completion.result, 0))};
}

void BufferRing::Replenish() {
  auto* ring = static_cast<io_uring_buf_ring*>(entries_.get());
  char* buffers = static_cast<char*>(buffers_.get());
  const int mask = io_uring_buf_ring_mask(static_cast<std::uint32_t>(shape_.count));
  int added = 0;
  while (lent_ < lend_target_ && !spare_.empty()) {
    const std::uint16_t id = spare_.back();
    spare_.pop_back();
    io_uring_buf_ring_add(ring, buffers + id * shape_.buffer_bytes,
                          static_cast<unsigned>(shape_.buffer_bytes - shape_.slack_bytes), id, mask, added++);
    ++lent_;
  }
  if (added > 0) io_uring_buf_ring_advance(ring, added);
}

void BufferRing::Grow() {
  lend_target_ = std::min(shape_.count, lend_target_ * 2);
}

}  // namespace weir::io
