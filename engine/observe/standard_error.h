// Standard error as the log uses it: written to, and never waited for longer than said. Whoever reads it may have
// stopped reading (a full pipe), and the process that waited for them would neither serve nor stop.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace weir::observe {

class StandardError {
 public:
  // Remembers where it leads while that is a file: after a rename only the name tells where the next one belongs.
  StandardError();

  // False: not written whole, because nothing took it within `wait_ms`, nobody can (EPIPE), or GiveUp was called.
  // One thread at a time.
  bool Write(std::string_view bytes, std::int64_t wait_ms);
  // Any thread. Write waits no longer, from now on.
  void GiveUp() { given_up_.store(true, std::memory_order_relaxed); }

  // Opens the file under its name again, after somebody moved it away. Empty when done, or when it is no file; else
  // why not, and everything goes on to where it went before.
  std::string Reopen();
  bool is_file() const { return !file_.empty(); }

 private:
  std::filesystem::path file_;
  std::atomic<bool> given_up_{false};
};

}  // namespace weir::observe
