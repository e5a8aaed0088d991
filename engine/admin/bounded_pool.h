// The threads that answer one listener's connections, each held by its client until it closes, idles or times
// out. When all are busy and `waiting_max` connections wait, the accepting thread waits too and the rest
// stays in the kernel's backlog: a crowd at the admin port costs a fixed number of threads and descriptors.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <expected>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace weir::admin {

class BoundedPool {
 public:
  explicit BoundedPool(std::size_t waiting_max) : waiting_max_(waiting_max) { waiting_.reserve(waiting_max); }
  BoundedPool(const BoundedPool&) = delete;
  BoundedPool& operator=(const BoundedPool&) = delete;

  // With fewer threads than asked for where the machine has no more to give; the error is that it has none.
  std::expected<void, std::string> Start(std::size_t threads);
  // Waits while `waiting_max` tasks wait. Takes no memory.
  void Enqueue(std::function<void()> task);
  // Finishes what waits and joins. Nothing may be enqueued afterwards.
  void Shutdown();

 private:
  void Work();

  const std::size_t waiting_max_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::function<void()>> waiting_;  // protected by mutex_; its room is there from the start
  bool stopping_ = false;                       // protected by mutex_
  std::vector<std::jthread> threads_;
};

}  // namespace weir::admin
