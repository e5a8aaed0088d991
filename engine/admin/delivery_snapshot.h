// What delivery keeps of every event's fate, read from the store in one go.
//
// Delivery moves on meanwhile, so a snapshot can be a moment old; it is never better than the truth: nothing
// is called delivered that was not.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/config/config.h"
#include "storage/event.h"
#include "storage/event_store.h"

namespace weir::admin {

// One sink's part of a snapshot. The lists of sequences are ascending.
struct SinkFate {
  std::string sink;
  std::vector<config::Route> routes;  // those that lead here now; none for a sink that was removed
  storage::SinkPosition position;
  std::vector<storage::Sequence> retrying;
  std::vector<storage::Sequence> dead;
};

struct DeliverySnapshot {
  std::vector<SinkFate> sinks;
};

// Every sink that has a route, a position or dead letters.
storage::StoreResult<std::vector<std::string>> KnownSinks(const storage::EventStore& store);

// Eight bytes a dead letter and a retry: a million dead letters make 8 MB.
storage::StoreResult<DeliverySnapshot> TakeSnapshot(const storage::EventStore& store);

}  // namespace weir::admin
