#include "engine/ingest/slab_pool.h"

#include <algorithm>
#include <utility>

#include "engine/limits.h"

namespace weir::ingest {

std::shared_ptr<commit::Slab> SlabPool::Take(std::size_t bytes) {
  std::unique_ptr<commit::Slab> slab;
  if (bytes <= limits::kSlabBytes) {
    const std::scoped_lock lock(mutex_);
    if (!spare_.empty()) {
      slab = std::move(spare_.back());
      spare_.pop_back();
    }
  }
  if (slab == nullptr) slab = std::make_unique<commit::Slab>(std::max(bytes, limits::kSlabBytes));
  slab->Clear();
  return {slab.release(), [pool = shared_from_this()](commit::Slab* returned) {
            pool->Give(std::unique_ptr<commit::Slab>(returned));
          }};
}

void SlabPool::Give(std::unique_ptr<commit::Slab> slab) {
  if (slab->capacity() != limits::kSlabBytes) return;
  const std::scoped_lock lock(mutex_);
  if (spare_.size() < limits::kSpareSlabs) spare_.push_back(std::move(slab));
}

}  // namespace weir::ingest
