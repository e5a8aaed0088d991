// Says when a sender at which events are asked for again by hand sent some that are stored: whoever pressed the button
// wants them processed once more, and is answered 200 while nothing happens. A line an hour and source at most, the
// first at once. A retry whose answer was lost looks the same. Pure: time is an argument. Bounded by the number of
// sources that a probe knows (observe::kSourcesMax).
//
// One thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "engine/observe/shard_probe.h"

namespace weir {

class RedeliveryWatch {
 public:
  static constexpr std::int64_t kLineIntervalMs = std::int64_t{60} * 60'000;

  struct Notice {
    std::string source;
    std::uint64_t count = 0;    // duplicates since the line before
    std::int64_t sequence = 0;  // of an event that came again lately; 0: only ones within batches did
  };

  // `by_hand`: whether events of this source may be asked for again. `now_ms`: any monotonic milliseconds.
  std::vector<Notice> Look(const std::vector<const observe::ShardProbe*>& shards,
                           const std::function<bool(const std::string&)>& by_hand, std::int64_t now_ms);

 private:
  struct Told {
    std::uint64_t duplicates = 0;
    std::optional<std::int64_t> line_ms;
  };
  std::map<std::string, Told> told_;
};

// One line of the log. `data`: the data directory.
void Log(const RedeliveryWatch::Notice& notice, const std::string& data);

}  // namespace weir
