// Once a minute, on a thread of its own: notes how far the log is (storage/timeline.h), and forgets events that are
// older than the configured retention, by time that was seen to pass. The store reads and syncs for it, which nobody
// who acks or delivers is to wait for.
//
// What somebody needs stays, whatever its age: what a configured sink has not settled, what a dead letter
// refers to, what a dedupe window reaches (storage::EventStore::TrimBefore). As the log is cut at its
// beginning only, one such event keeps all that come after it.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <expected>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "engine/observe/log.h"
#include "engine/observe/retention_probe.h"
#include "storage/event_store.h"

namespace weir {

class Retention {
 public:
  struct Wiring {
    storage::EventStore& store;
    std::int64_t retention_ms;                        // 0 = nothing is ever forgotten
    std::function<std::vector<std::string>()> sinks;  // of the running configuration; any thread
    observe::RetentionProbe& probe;
  };
  explicit Retention(Wiring wiring) : wiring_(std::move(wiring)) {}

  // Also without a retention: dedupe windows go by the store's time as well.
  std::expected<void, std::string> Start();
  // Waits for a look that is under way.
  void Stop();

  // One look, what the thread does. Not while the thread runs.
  void Look(const storage::Clocks& now);

 private:
  void Run(const std::stop_token& stop);
  void TellOfClockSteps();
  void ForgetOld();
  void Failed(std::string_view what, observe::log::Fields fields);

  Wiring wiring_;
  std::uint64_t steps_told_ = 0;  // of the store's ClockSteps
  bool held_ = false;             // the last look left something behind, and said so
  std::mutex mutex_;              // for wake_ only
  std::condition_variable_any wake_;
  std::jthread thread_;
};

}  // namespace weir
