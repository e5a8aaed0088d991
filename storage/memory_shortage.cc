#include "storage/memory_shortage.h"

#include <time.h>
#include <unistd.h>

#include <cstdlib>
#include <new>
#include <string_view>
#include <tuple>
#include <utility>

namespace weir {
namespace {

// Between two tries of an allocation.
constexpr long kRetryNs = 1'000'000;

thread_local bool throws = false;

void EndOnShortage() {
  if (throws) throw std::bad_alloc();
  constexpr std::string_view kSentence =
      "weir: out of memory while starting; raise the limit of memory or address space (ulimit -v, "
      "MemoryMax=)\n";
  std::ignore = write(STDERR_FILENO, kSentence.data(), kSentence.size());
  std::_Exit(1);
}

// The allocation is tried again when this returns ([new.delete.single]).
void WaitOnShortage() {
  if (throws) throw std::bad_alloc();
  const timespec pause{.tv_sec = 0, .tv_nsec = kRetryNs};
  nanosleep(&pause, nullptr);
}

}  // namespace

void EndWithoutMemory() {
  std::set_new_handler(EndOnShortage);
}

void WaitForMemory() {
  std::set_new_handler(WaitOnShortage);
}

bool HasMemoryFor(std::size_t bytes) {
  const MayLackMemory here;
  try {
    ::operator delete(::operator new(bytes));
    return true;
  } catch (const std::bad_alloc&) {
    return false;
  }
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
