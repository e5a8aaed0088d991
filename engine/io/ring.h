// The kernel's ring, wrapped in one place: the only engine header that includes <liburing.h>. One ring a thread, created on
// the thread that uses it (IORING_SETUP_SINGLE_ISSUER), entered once a turn.
#pragma once

#include <liburing.h>

#include <cstddef>
#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <string_view>

#include "engine/io/op.h"

namespace weir::io {

// Best first. Features are probed by trying; the mode in use is logged, shown by `weir check` and in the metrics.
enum class RingMode : std::uint8_t { kDeferTaskrun, kCoopTaskrun, kPlain };
std::string_view RingModeName(RingMode mode);

struct Completion {
  UserData user_data;
  std::int32_t result;   // >= 0, or -errno
  std::uint32_t flags;   // IORING_CQE_F_*

  bool more() const { return (flags & IORING_CQE_F_MORE) != 0; }
  bool has_buffer() const { return (flags & IORING_CQE_F_BUFFER) != 0; }
  std::uint16_t buffer_id() const { return static_cast<std::uint16_t>(flags >> IORING_CQE_BUFFER_SHIFT); }
};

class Ring {
 public:
  // The error names the call, the errno and what to change (kernel.io_uring_disabled, seccomp, memlock).
  static std::expected<Ring, std::string> Create(unsigned submission_entries);
  Ring(Ring&& other) noexcept;
  Ring& operator=(Ring&&) = delete;
  ~Ring();

  RingMode mode() const { return mode_; }
  io_uring* raw() { return &ring_; }

  // Each takes one submission entry; when none is free, what is queued is submitted first, so these cannot fail.
  void AcceptMultishot(int fd, UserData user_data);
  void ReceiveMultishot(int fd, std::uint16_t buffer_group, UserData user_data);
  void Receive(int fd, std::span<char> into, UserData user_data);
  void Send(int fd, std::span<const char> bytes, UserData user_data);   // MSG_NOSIGNAL
  void Connect(int fd, const sockaddr* address, socklen_t length, UserData user_data);
  void Shutdown(int fd, UserData user_data);
  void Close(int fd, UserData user_data);
  void CancelAll(int fd, UserData user_data);      // every operation on this descriptor
  void ReadEventfd(int fd, std::uint64_t* into, UserData user_data);

  // Submits, then waits until at least one completion is there, or `timeout_ms` has passed (0 = do not wait, < 0 = no limit),
  // and copies what is there into `into`. Returns how many.
  std::size_t SubmitAndReap(std::span<Completion> into, std::int64_t timeout_ms);

  std::uint32_t overflows() const;   // completions the kernel had to keep because the ring was full

 private:
  Ring() = default;
  io_uring_sqe* Entry();
  io_uring ring_{};
  RingMode mode_ = RingMode::kPlain;
  bool open_ = false;
};

}  // namespace weir::io
