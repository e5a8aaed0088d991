#include "engine/admin/bounded_pool.h"

#include <utility>

namespace weir::admin {

BoundedPool::BoundedPool(std::size_t threads, std::size_t waiting_max) : waiting_max_(waiting_max) {
  for (std::size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { Work(); });
}

void BoundedPool::Enqueue(std::function<void()> task) {
  {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return waiting_.size() < waiting_max_ || stopping_; });
    waiting_.push_back(std::move(task));
  }
  changed_.notify_all();
}

void BoundedPool::Shutdown() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void BoundedPool::Work() {
  for (;;) {
    std::function<void()> task;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return !waiting_.empty() || stopping_; });
      if (waiting_.empty()) return;
      task = std::move(waiting_.front());
      waiting_.pop_front();
    }
    changed_.notify_all();
    task();
  }
}

}  // namespace weir::admin
