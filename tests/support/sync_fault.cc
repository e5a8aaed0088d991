#include "tests/support/sync_fault.h"

#include <dlfcn.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <string>
#include <string_view>

namespace {

std::atomic<bool> line_file_syncs_broken{false};

bool IsLineFile(int fd) {
  std::array<char, 512> name{};
  const std::string link = "/proc/self/fd/" + std::to_string(fd);
  const ssize_t size = readlink(link.c_str(), name.data(), name.size());
  return size > 0 && std::string_view(name.data(), static_cast<std::size_t>(size)).ends_with(".ndjson");
}

}  // namespace

// NOLINTNEXTLINE(misc-unused-*): called in place of the C library's.
extern "C" int fdatasync(int fd) {
  using Function = int (*)(int);
  static const auto real = reinterpret_cast<Function>(dlsym(RTLD_NEXT, "fdatasync"));
  if (line_file_syncs_broken && IsLineFile(fd)) {
    errno = EIO;
    return -1;
  }
  return real(fd);
}

namespace weir::tests {

BrokenLineFileSyncs::BrokenLineFileSyncs() {
  line_file_syncs_broken = true;
}
BrokenLineFileSyncs::~BrokenLineFileSyncs() {
  line_file_syncs_broken = false;
}

}  // namespace weir::tests
