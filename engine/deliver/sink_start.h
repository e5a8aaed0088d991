// Where a sink begins that the store has not seen. Asked before a configuration comes into force, and of one that only
// might.
#pragma once

#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <vector>

#include "engine/config/config.h"
#include "storage/event_store.h"

namespace weir::deliver {

// Where a start is asked for that nothing can be received since.
bool LiesInFuture(const config::Start& start, std::int64_t now_us);

struct SinkStart {
  std::string sink;
  storage::Sequence first = 1;  // the first sequence it is offered
  std::uint64_t before = 0;     // events of the log that it is not offered
  std::uint64_t waiting = 0;    // events of the log that it is
  bool known = false;           // the store has its position: it goes on there, and `start` is not looked at
};

// One for each of `sinks`, in their order. The error is a sentence: a store that cannot be read, a start in the
// future.
std::expected<std::vector<SinkStart>, std::string> FindSinkStarts(const storage::EventStore& store,
                                                                  std::span<const config::Sink> sinks,
                                                                  std::int64_t now_us);

// Writes, synced, the positions of those that are not known.
storage::StoreResult<void> BeginNewSinks(storage::EventStore& store, std::span<const SinkStart> starts);

// "sink billing is new: starts at sequence 11, 10 events of the log are not sent; start = \"beginning\" would send
// them". Empty where nothing surprises: a store without events.
std::string Describe(const SinkStart& start);

}  // namespace weir::deliver
