// Says that ids came again with other bytes: a line a source and minute, with how many since the last one. A sender
// that does so does it all day.
//
// One thread. The moment is passed in.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>

#include "storage/event.h"

namespace weir::commit {

inline constexpr std::int64_t kConflictLineIntervalNs = 60'000'000'000;

class ConflictLog {
 public:
  // `newcomer` came under the id of the event at `stored` with other bytes. `kept`: beside the log, for the operator;
  // else there was no room and the bytes are gone. `now_ns`: CLOCK_MONOTONIC.
  void Report(const storage::Event& newcomer, storage::Sequence stored, bool kept, std::int64_t now_ns);

 private:
  struct Said {
    std::int64_t at_ns = INT64_MIN / 2;
    std::uint64_t unsaid = 0;
  };
  struct Of {
    Said kept;
    Said dropped;
  };
  std::unordered_map<std::string, Of> sources_;  // configured names: bounded by configurations
};

}  // namespace weir::commit
