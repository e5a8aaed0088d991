// The kernel's ring, wrapped in one place: only engine/io includes <liburing.h>. One ring a thread, created
// on the thread that uses it (IORING_SETUP_SINGLE_ISSUER), entered once a turn. Completions are copied out
// first and handled afterwards: a handler may queue new operations without ever seeing the completion ring
// move under it.
//
// Descriptors given to the ring must be in blocking mode: io_uring waits for readiness itself, and answers
// EAGAIN at once for one that is O_NONBLOCK.
#pragma once

#include <liburing.h>

#include <cstddef>
#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/io/op.h"

namespace weir::io {

// Best first. Features are probed by trying; the mode in use is logged, shown by `weir check` and in the
// metrics.
enum class RingMode : std::uint8_t {
  kDeferTaskrun,  // 6.1: completions are made inside our own wait, never by interrupting the thread
  kCoopTaskrun,   // 5.19: no interruption by a signal to make them
  kPlain,
};
std::string_view RingModeName(RingMode mode);

struct Completion {
  UserData user_data;
  std::int32_t result = 0;  // >= 0, or -errno
  std::uint32_t flags = 0;  // IORING_CQE_F_*

  // Further completions of the same submission follow. Without it a multishot operation has ended, whatever
  // its result.
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

  // Each takes one submission entry; when none is free, what is queued is submitted first, so these cannot
  // fail. They wait while the kernel has no memory to take what is queued.
  void AcceptMultishot(int fd, UserData user_data);
  void ReceiveMultishot(int fd, std::uint16_t buffer_group, UserData user_data);
  void Receive(int fd, std::span<char> into, UserData user_data);
  void Send(int fd, std::span<const char> bytes, UserData user_data);  // MSG_NOSIGNAL
  // `address` must stay where it is until the submission, that is until the next SubmitAndReap.
  void Connect(int fd, const sockaddr* address, socklen_t length, UserData user_data);
  void Close(int fd, UserData user_data);
  void Cancel(UserData target, UserData user_data);  // the one operation that was submitted as `target`
  void CancelAll(int fd, UserData user_data);        // every operation on this descriptor
  void ReadEventfd(int fd, std::uint64_t* into, UserData user_data);

  // Submits, then waits until at least one completion is there, or `timeout_ms` has passed (0 = do not wait,
  // < 0 = no limit), and copies what is there into `into`. Returns how many; 0 also after a signal.
  std::size_t SubmitAndReap(std::span<Completion> into, std::int64_t timeout_ms);

  std::uint32_t overflows() const;  // completions the kernel had to keep because the ring was full

 private:
  Ring() = default;
  io_uring_sqe* Entry(UserData user_data);
  std::size_t Reap(std::span<Completion> into);
  io_uring ring_{};
  RingMode mode_ = RingMode::kPlain;
  bool open_ = false;
  std::vector<Completion> early_;  // reaped while there was no entry to be had, and not yet handed out
};

}  // namespace weir::io
