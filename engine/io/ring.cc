#include "engine/io/ring.h"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <utility>

#include "engine/io/system_error.h"
#include "storage/check.h"

namespace weir::io {
namespace {

constexpr unsigned kCompletionsPerSubmission = 4;
constexpr std::int64_t kNanosecondsPerMillisecond = 1'000'000;
constexpr std::int64_t kShortagePauseMs = 5;
constexpr std::size_t kEarlyAtOnce = 64;

constexpr unsigned kCommonFlags = IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP | IORING_SETUP_SUBMIT_ALL;

struct ModeFlags {
  RingMode mode;
  unsigned flags;
};
constexpr std::array<ModeFlags, 3> kModes = {{
    {RingMode::kDeferTaskrun, kCommonFlags | IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN},
    {RingMode::kCoopTaskrun, kCommonFlags | IORING_SETUP_COOP_TASKRUN},
    {RingMode::kPlain, IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP},
}};

std::string DescribeSetupFailure(int error) {
  std::string sentence = DescribeError("io_uring_setup", error);
  switch (error) {
    case EPERM:
    case EACCES:
      return sentence +
             ": io_uring is forbidden here; set sysctl kernel.io_uring_disabled=0, and in a container use a "
             "seccomp "
             "profile that allows io_uring_setup, io_uring_enter and io_uring_register";
    case ENOMEM:
      return sentence + ": raise the limit of locked memory (ulimit -l, LimitMEMLOCK=)";
    case EMFILE:
    case ENFILE:
      return sentence + ": raise the limit of open files (ulimit -n, LimitNOFILE=)";
    case ENOSYS:
      return sentence + ": this kernel is built without io_uring; Linux 6.0 or newer is needed";
    default:
      return sentence;
  }
}

// True: the kernel lacked something for what is queued, which stays queued and goes out with a later turn.
bool CheckSurvivable(int error) {
  switch (error) {
    case EAGAIN:
    case ENOMEM:
    case ENOBUFS:
      return true;
    case ETIME:
    case EINTR:
    case EBUSY:  // completions had to be kept by the kernel: reaping is what helps
    case EBADR:  // and some of those were lost for want of memory; their operations look as if they never end
      return false;
    default:
      std::fprintf(stderr, "%s\n", DescribeError("io_uring_enter", error).c_str());
      WEIR_CHECK(false && "io_uring_enter failed in a way only our own code can cause");
  }
}

// A kernel that is short of memory says so at once: asking again and again would only take a core from whoever could
// give some back.
void Pause() {
  const timespec pause{.tv_sec = 0, .tv_nsec = kShortagePauseMs * kNanosecondsPerMillisecond};
  nanosleep(&pause, nullptr);
}

}  // namespace

std::string_view RingModeName(RingMode mode) {
  switch (mode) {
    case RingMode::kDeferTaskrun:
      return "defer-taskrun";
    case RingMode::kCoopTaskrun:
      return "coop-taskrun";
    case RingMode::kPlain:
      return "plain";
  }
  return "unknown";
}

std::expected<Ring, std::string> Ring::Create(unsigned submission_entries) {
  int error = 0;
  for (const ModeFlags& candidate : kModes) {
    io_uring_params params{};
    params.flags = candidate.flags;
    params.cq_entries = submission_entries * kCompletionsPerSubmission;
    Ring ring;
    const int result = io_uring_queue_init_params(submission_entries, &ring.ring_, &params);
    if (result == 0) {
      ring.open_ = true;
      ring.mode_ = candidate.mode;
      // Saves a reference count on the ring's file an enter. Optional: without it everything works the same.
      io_uring_register_ring_fd(&ring.ring_);
      return ring;
    }
    error = -result;
    if (error != EINVAL) break;  // only "this kernel does not know these flags" is answered by fewer flags
  }
  return std::unexpected(DescribeSetupFailure(error));
}

Ring::Ring(Ring&& other) noexcept
    : ring_(other.ring_), mode_(other.mode_), open_(other.open_), early_(std::move(other.early_)) {
  other.open_ = false;
}

Ring::~Ring() {
  if (open_) io_uring_queue_exit(&ring_);
}

io_uring_sqe* Ring::Entry(UserData user_data) {
  io_uring_sqe* sqe = io_uring_get_sqe(&ring_);
  while (sqe == nullptr) {
    // Where the kernel has no memory for what is queued, or no room for its completions, it takes none of it: what it
    // has completed is put aside, and it is asked again.
    if (const int result = io_uring_submit(&ring_); result < 0) {
      CheckSurvivable(-result);
      std::array<Completion, kEarlyAtOnce> early;
      const std::size_t count = Reap(early);
      early_.insert(early_.end(), early.begin(), early.begin() + static_cast<std::ptrdiff_t>(count));
      if (count == 0) Pause();
    }
    sqe = io_uring_get_sqe(&ring_);
  }
  io_uring_sqe_set_data64(sqe, user_data.Pack());  // the prep calls leave it alone
  return sqe;
}

void Ring::AcceptMultishot(int fd, UserData user_data) {
  io_uring_prep_multishot_accept(Entry(user_data), fd, nullptr, nullptr, SOCK_CLOEXEC);
}

void Ring::ReceiveMultishot(int fd, std::uint16_t buffer_group, UserData user_data) {
  io_uring_sqe* sqe = Entry(user_data);
  io_uring_prep_recv_multishot(sqe, fd, nullptr, 0, 0);
  sqe->flags |= IOSQE_BUFFER_SELECT;  // without it the kernel refuses a multishot receive
  sqe->buf_group = buffer_group;
}

void Ring::Receive(int fd, std::span<char> into, UserData user_data) {
  io_uring_prep_recv(Entry(user_data), fd, into.data(), into.size(), 0);
}

void Ring::Send(int fd, std::span<const char> bytes, UserData user_data) {
  io_uring_prep_send(Entry(user_data), fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
}

void Ring::Connect(int fd, const sockaddr* address, socklen_t length, UserData user_data) {
  io_uring_prep_connect(Entry(user_data), fd, address, length);
}

void Ring::Close(int fd, UserData user_data) {
  io_uring_prep_close(Entry(user_data), fd);
}

void Ring::Cancel(UserData target, UserData user_data) {
  io_uring_prep_cancel64(Entry(user_data), target.Pack(), 0);
}

void Ring::CancelAll(int fd, UserData user_data) {
  io_uring_prep_cancel_fd(Entry(user_data), fd, IORING_ASYNC_CANCEL_ALL);
}

void Ring::ReadEventfd(int fd, std::uint64_t* into, UserData user_data) {
  io_uring_prep_read(Entry(user_data), fd, into, sizeof *into, 0);
}

std::size_t Ring::SubmitAndReap(std::span<Completion> into, std::int64_t timeout_ms) {
  if (!early_.empty()) timeout_ms = 0;
  int result = 0;
  if (timeout_ms == 0) {
    // Not io_uring_submit: under DEFER_TASKRUN nothing completes unless events are asked for.
    result = io_uring_submit_and_get_events(&ring_);
  } else if (timeout_ms < 0) {
    result = io_uring_submit_and_wait(&ring_, 1);
  } else {
    __kernel_timespec timeout{};
    timeout.tv_sec = timeout_ms / 1000;
    timeout.tv_nsec = timeout_ms % 1000 * kNanosecondsPerMillisecond;
    io_uring_cqe* first = nullptr;
    result = io_uring_submit_and_wait_timeout(&ring_, &first, 1, &timeout, nullptr);
  }
  const bool short_of_something = result < 0 && CheckSurvivable(-result);
  const std::size_t from_before = std::min(early_.size(), into.size());
  std::copy_n(early_.begin(), from_before, into.begin());
  early_.erase(early_.begin(), early_.begin() + static_cast<std::ptrdiff_t>(from_before));
  const std::size_t count = from_before + (early_.empty() ? Reap(into.subspan(from_before)) : 0);
  if (short_of_something && count == 0) Pause();
  return count;
}

std::size_t Ring::Reap(std::span<Completion> into) {
  std::size_t count = 0;
  unsigned head = 0;
  io_uring_cqe* cqe = nullptr;
  io_uring_for_each_cqe(&ring_, head, cqe) {
    if (count == into.size()) break;
    into[count++] = {.user_data = UserData::Unpack(cqe->user_data), .result = cqe->res, .flags = cqe->flags};
  }
  io_uring_cq_advance(&ring_, static_cast<unsigned>(count));
  return count;
}

std::uint32_t Ring::overflows() const {
  return *ring_.cq.koverflow;
}

}  // namespace weir::io
