// Two ways to wake a thread that ran out of work, both free while it is busy: the waiter says that it is
// about to sleep, looks at its queue once more, and only then sleeps; the notifier makes a system call only
// if it saw that flag.
#pragma once

#include <atomic>
#include <cstdint>
#include <string_view>

namespace weir::io {

// For a thread that sleeps on a futex (the committer).
class FutexWake {
 public:
  // Any thread, after the work is visible in the queue.
  void Notify() {
    // A read-modify-write, not a load: a plain load could be satisfied before the enqueue in front of it is
    // visible, and then neither side would see the other. Pairs with PrepareWait.
    if (sleeping_.exchange(0, std::memory_order_seq_cst) != 0) sleeping_.notify_one();
  }
  // The waiter: PrepareWait, look at the queue again, then Wait or CancelWait.
  void PrepareWait() { sleeping_.store(1, std::memory_order_seq_cst); }
  void CancelWait() { sleeping_.store(0, std::memory_order_relaxed); }
  void Wait() { sleeping_.wait(1, std::memory_order_seq_cst); }

 private:
  std::atomic<std::uint32_t> sleeping_{0};
};

// For a thread that sleeps in its ring with a read of this eventfd armed (shards, delivery workers).
class EventfdWake {
 public:
  EventfdWake();  // without a descriptor left it is not valid, and may only be asked that and destroyed
  ~EventfdWake();
  EventfdWake(const EventfdWake&) = delete;
  EventfdWake& operator=(const EventfdWake&) = delete;

  void Notify() {
    if (sleeping_.exchange(false, std::memory_order_seq_cst)) Signal();  // not a load: see FutexWake::Notify
  }
  void PrepareWait() { sleeping_.store(true, std::memory_order_seq_cst); }
  void CancelWait() { sleeping_.store(false, std::memory_order_relaxed); }
  // Forces a wake whatever the flag says: for stop requests and signals.
  void Signal();
  bool valid() const { return fd_ >= 0; }
  // Why it is not, for the caller to report.
  static std::string_view ShortageText();
  int fd() const { return fd_; }

 private:
  std::atomic<bool> sleeping_{false};
  int fd_;
};

}  // namespace weir::io
