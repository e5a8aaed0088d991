// What the store's own threads have met: troubles they go on from, and the failure after which nothing is committed.
// Any thread.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "storage/event_store.h"

namespace weir::storage {

class StoreHealth {
 public:
  StoreHealth(std::function<void(const StoreTrouble&)> on_trouble,
              std::function<void(const StoreError&)> on_failure)
      : on_trouble_(std::move(on_trouble)), on_failure_(std::move(on_failure)) {}

  // Counts every call, tells about the first until Over.
  void Report(StoreTrouble::Part part, const std::string& message);
  void Over(StoreTrouble::Part part);
  // Tells about the first.
  void Fail(const StoreError& error);

  bool failed() const { return failed_.load(std::memory_order_acquire); }
  std::vector<StoreTrouble> Lasting() const;
  std::array<std::uint64_t, StoreTrouble::kParts> Counts() const;

 private:
  const std::function<void(const StoreTrouble&)> on_trouble_;
  const std::function<void(const StoreError&)> on_failure_;
  std::atomic<bool> failed_{false};
  mutable std::mutex mutex_;
  std::array<std::string, StoreTrouble::kParts> lasting_;     // under mutex_; empty: none
  std::array<std::uint64_t, StoreTrouble::kParts> counts_{};  // under mutex_
};

}  // namespace weir::storage
