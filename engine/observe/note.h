// A sentence for people that changes seldom.
#pragma once

#include <mutex>
#include <string>
#include <utility>

namespace weir::observe {

// One writer, any reader; locks.
class Note {
 public:
  void Set(std::string text) {
    const std::lock_guard lock(mutex_);
    text_ = std::move(text);
  }
  std::string value() const {
    const std::lock_guard lock(mutex_);
    return text_;
  }

 private:
  mutable std::mutex mutex_;
  std::string text_;  // protected by mutex_
};

}  // namespace weir::observe
