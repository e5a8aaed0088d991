// Slabs for encoded records, recycled: a fresh quarter of a megabyte a turn would be mapped, faulted in and
// unmapped each time. A slab comes back from whichever thread drops its last reference, hence the lock; it is
// taken once a turn.
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <vector>

#include "engine/commit/append.h"

namespace weir::ingest {

class SlabPool : public std::enable_shared_from_this<SlabPool> {
 public:
  static std::shared_ptr<SlabPool> Create() { return std::shared_ptr<SlabPool>(new SlabPool); }

  // At least limits::kSlabBytes; larger ones are not recycled. The slab keeps the pool alive.
  std::shared_ptr<commit::Slab> Take(std::size_t bytes);

 private:
  SlabPool() = default;
  void Give(std::unique_ptr<commit::Slab> slab);

  std::mutex mutex_;
  std::vector<std::unique_ptr<commit::Slab>> spare_;  // a stack; at most limits::kSpareSlabs
};

}  // namespace weir::ingest
