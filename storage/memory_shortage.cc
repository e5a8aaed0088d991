#include "storage/memory_shortage.h"

#include <time.h>

#include <new>
#include <utility>

namespace weir {
namespace {

// Between two tries of an allocation.
constexpr long kRetryNs = 1'000'000;

thread_local bool throws = false;

// The allocation is tried again when this returns ([new.delete.single]).
void OnShortage() {
  if (throws) throw std::bad_alloc();
  const timespec pause{.tv_sec = 0, .tv_nsec = kRetryNs};
  nanosleep(&pause, nullptr);
}

}  // namespace

void WaitForMemoryByDefault() {
  std::set_new_handler(OnShortage);
}

MayLackMemory::MayLackMemory() : before_(std::exchange(throws, true)) {}
MayLackMemory::~MayLackMemory() {
  throws = before_;
}

MustHaveMemory::MustHaveMemory() : before_(std::exchange(throws, false)) {}
MustHaveMemory::~MustHaveMemory() {
  throws = before_;
}

}  // namespace weir
