// "exported 120000 events, 43%" on stderr, rewritten in place; only on a terminal and only when it takes over
// a second.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace weir::tools {

class Progress {
 public:
  // `verb` and `noun` as in "exported … events".
  Progress(std::string verb, std::string noun);
  ~Progress();  // takes the line away
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // `fraction` of the way, from 0 to 1; below 0 = unknown.
  void Update(std::uint64_t count, double fraction);

 private:
  using Clock = std::chrono::steady_clock;

  std::string verb_;
  std::string noun_;
  bool on_terminal_;
  bool shown_ = false;
  Clock::time_point next_;
};

}  // namespace weir::tools
