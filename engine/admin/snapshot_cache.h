// The last delivery snapshot, so that a walk over the log in many requests does not read every dead letter
// for each of them.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>

#include "engine/admin/delivery_snapshot.h"

namespace weir::admin {

using SharedSnapshot = std::shared_ptr<const DeliverySnapshot>;

class SnapshotCache {
 public:
  explicit SnapshotCache(const storage::EventStore& store) : store_(store) {}

  // For the first request of a walk: what is true now.
  storage::StoreResult<SharedSnapshot> Fresh(std::int64_t now_us);
  // For a request that goes on: a snapshot at most kReuseUs old.
  storage::StoreResult<SharedSnapshot> Recent(std::int64_t now_us);

 private:
  static constexpr std::int64_t kReuseUs = 1'000'000;

  const storage::EventStore& store_;
  std::mutex mutex_;
  SharedSnapshot last_;             // protected by mutex_
  std::int64_t last_taken_us_ = 0;  // protected by mutex_
};

}  // namespace weir::admin
