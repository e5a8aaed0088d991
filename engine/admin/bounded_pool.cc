#include "engine/admin/bounded_pool.h"

#include <utility>

#include "storage/start_thread.h"

namespace weir::admin {

std::expected<void, std::string> BoundedPool::Start(std::size_t threads) {
  for (std::size_t i = 0; i < threads; ++i) {
    auto started = StartThread("admin", [this](const std::stop_token&) { Work(); });
    if (!started && threads_.empty()) return std::unexpected(started.error());
    if (!started) break;  // fewer answer as well, one after the other
    threads_.push_back(std::move(*started));
  }
  return {};
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
  for (std::jthread& thread : threads_) thread.join();
  threads_.clear();
}

void BoundedPool::Work() {
  for (;;) {
    std::function<void()> task;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return !waiting_.empty() || stopping_; });
      if (waiting_.empty()) return;
      task = std::move(waiting_.front());
      waiting_.erase(waiting_.begin());
    }
    changed_.notify_all();
    task();
  }
}

}  // namespace weir::admin
