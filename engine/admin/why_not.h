// Why an event has not been delivered to a sink, in one sentence: a function of the event, of what delivery keeps of
// it, and, while a server runs, of how the sink is doing.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "engine/admin/delivery_snapshot.h"
#include "engine/admin/event_state.h"
#include "engine/admin/wiring.h"
#include "storage/event.h"
#include "storage/event_store.h"

namespace weir::admin {

// How a sink is doing, copied from its probe.
struct SinkCondition {
  std::string cannot_open;      // why; empty while it is open
  std::string held;             // by the store, and why; empty while it is not
  std::int64_t stopped_at = 0;  // the event that cannot be read and holds up what is behind it; 0 = none
  bool breaker_open = false;
  std::int64_t breaker_until_us = 0;  // Unix time of the next attempt; 0 while one is under way
  std::int64_t retries = 0;           // that are scheduled
  std::int64_t first_attempts = 0;    // that are under way
};
// nullopt when no such sink runs.
std::optional<SinkCondition> ConditionOf(const Live& live, std::string_view sink);

struct WhyFacts {
  const Wiring& wiring;
  const storage::Event& event;
  const SinkFate& sink;
  std::optional<EventState> state;  // of the event at this sink; nullopt: none of its routes takes it
  const storage::RetryEntry* retry = nullptr;  // of kRetrying
  const storage::DeadLetter* dead = nullptr;   // of kDead
};
// Empty for an event that was delivered.
std::string WhyNotDelivered(const WhyFacts& facts);

}  // namespace weir::admin
