// What the last reading of the configuration did. Written by the server's main thread, read by any.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace weir::observe {

struct ReloadReport {
  bool applied = false;                   // false: nothing changed
  std::int64_t at_us = 0;                 // Unix time, microseconds
  std::vector<std::string> errors = {};   // why it was not applied: "weir.toml:12: sink[0].url: …"
  std::vector<std::string> changed = {};  // what is in force now and was not before: "sink billing: timeout"
  std::vector<std::string> needs_restart = {};  // keys that differ from what the process was started with
  // "sink billing: cannot be opened: …"; applied all the same, its events wait
  std::vector<std::string> not_open = {};
  std::vector<std::string> notes = {};  // where new sinks start, what removed ones leave behind
};

class ReloadProbe {
 public:
  void Set(ReloadReport report) {
    const std::lock_guard lock(mutex_);
    last_ = std::move(report);
  }
  // Before the first reload: what the start read.
  ReloadReport last() const {
    const std::lock_guard lock(mutex_);
    return last_;
  }

 private:
  mutable std::mutex mutex_;
  ReloadReport last_;  // protected by mutex_
};

}  // namespace weir::observe
