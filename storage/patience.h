// Waiting for what the process or the machine is out of. An open that fails for want of a descriptor or of memory has
// changed nothing, and where it is in the way of a commit it would be taken for a disk that failed, which ends the store. So
// it is tried again until there is one: a writer that waits is a commit under way for too long, and answered as such.
//
// At first, and once it has been given up, an open fails as it does: a start that lacks something is refused, and nobody
// waits at the end. Any thread.
#pragma once

#include <atomic>
#include <cerrno>
#include <chrono>
#include <thread>
#include <type_traits>

namespace weir::storage {

class Patience {
 public:
  void Begin() { patient_.store(true, std::memory_order_relaxed); }
  void GiveUp() { patient_.store(false, std::memory_order_relaxed); }

  // `call` gives a DiskResult and may be called again after one that failed.
  template <typename Call>
  std::invoke_result_t<const Call&> operator()(const Call& call) const {
    while (true) {
      auto result = call();
      if (result || !IsShortage(result.error().code) || !patient_.load(std::memory_order_relaxed))
        return result;
      std::this_thread::sleep_for(kBetweenTries);
    }
  }

 private:
  static constexpr std::chrono::milliseconds kBetweenTries{20};
  static bool IsShortage(int code) { return code == EMFILE || code == ENFILE || code == ENOMEM; }

  std::atomic<bool> patient_{false};
};

}  // namespace weir::storage
