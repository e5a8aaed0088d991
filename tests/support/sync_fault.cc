#include "tests/support/sync_fault.h"

#include <dlfcn.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <string>
#include <string_view>

namespace {

std::atomic<bool> fail_next_log_sync{false};
std::atomic<int> high_water_faults{0};
std::atomic<bool> table_syncs_held{false};
std::atomic<bool> line_file_syncs_broken{false};

bool NameEndsWith(int fd, std::string_view ending) {
  std::array<char, 512> name{};
  const std::string link = "/proc/self/fd/" + std::to_string(fd);
  const ssize_t size = readlink(link.c_str(), name.data(), name.size());
  return size > 0 && std::string_view(name.data(), static_cast<std::size_t>(size)).ends_with(ending);
}

}  // namespace

// NOLINTNEXTLINE(misc-unused-*): called by librocksdb, whose reference binds to the executable's definition.
extern "C" int fdatasync(int fd) {
  using Function = int (*)(int);
  static const auto real = reinterpret_cast<Function>(dlsym(RTLD_NEXT, "fdatasync"));
  const bool broken = (NameEndsWith(fd, ".log") && fail_next_log_sync.exchange(false)) ||
                      (NameEndsWith(fd, "/high-water") && high_water_faults > 0 && high_water_faults-- > 0) ||
                      (line_file_syncs_broken && NameEndsWith(fd, ".ndjson"));
  if (broken) {
    errno = EIO;
    return -1;
  }
  if (NameEndsWith(fd, ".sst")) table_syncs_held.wait(true);
  return real(fd);
}

namespace weir::support {

void FailNextLogSync() {
  fail_next_log_sync = true;
}
void FailHighWaterSyncs(int count) {
  high_water_faults = count;
}
BrokenLineFileSyncs::BrokenLineFileSyncs() {
  line_file_syncs_broken = true;
}
BrokenLineFileSyncs::~BrokenLineFileSyncs() {
  line_file_syncs_broken = false;
}
void HoldTableSyncs() {
  table_syncs_held = true;
}
void ReleaseTableSyncs() {
  table_syncs_held = false;
  table_syncs_held.notify_all();
}

}  // namespace weir::support
