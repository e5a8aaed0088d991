#include "engine/admin/snapshot_cache.h"

#include <utility>

namespace weir::admin {

storage::StoreResult<SharedSnapshot> SnapshotCache::Fresh(std::int64_t now_us) {
  auto taken = TakeSnapshot(store_);
  if (!taken) return std::unexpected(taken.error());
  auto snapshot = std::make_shared<const DeliverySnapshot>(std::move(*taken));
  const std::lock_guard lock(mutex_);
  last_ = snapshot;
  last_taken_us_ = now_us;
  return snapshot;
}

storage::StoreResult<SharedSnapshot> SnapshotCache::Recent(std::int64_t now_us) {
  {
    const std::lock_guard lock(mutex_);
    if (last_ && now_us >= last_taken_us_ && now_us - last_taken_us_ < kReuseUs) return last_;
  }
  return Fresh(now_us);
}

}  // namespace weir::admin
