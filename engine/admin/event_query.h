// Finding events in the log: one filter for every command, one bounded step at a time in either direction, so
// that a request holds a thread for milliseconds however long the log is. The caller goes on from where a
// step ended.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "engine/admin/event_state.h"
#include "storage/event.h"
#include "storage/event_store.h"

namespace weir::admin {

struct EventFilter {
  std::string source;                    // empty = any
  std::string type;                      // glob as in routes; empty = any
  std::string id;                        // the sender's, or the whole name (storage::IsNamed); empty = any
  std::optional<std::int64_t> since_us;  // received at or after
  std::optional<std::int64_t> until_us;  // received before
  std::optional<EventState> state;
  bool operator==(const EventFilter&) const = default;
};

// Everything but the state.
bool Matches(const EventFilter& filter, const storage::Event& event);

// How far apart log order and order of receipt may lie: events wait for their commit in different shards, and
// clocks are set back. A time filter looks this much further before it calls the rest of the log out of
// range.
inline constexpr std::int64_t kReceiptDisorderUs = std::int64_t{10} * 60 * 1'000'000;

struct Found {
  const storage::Event& event;  // its views live during the visit
  EventState state;
};
using VisitFound = std::function<bool(const Found&)>;  // false: stop after this one

// An event without its bytes, for lists.
struct EventSummary {
  storage::Sequence sequence = storage::kNoSequence;
  std::int64_t received_at_us = 0;
  std::string source;
  std::string id;
  std::string type;
  std::string malformed;
  std::size_t body_bytes = 0;
  EventState state = EventState::kPending;
  bool test = false;  // storage::Event has them
  bool untyped = false;
};
EventSummary Summarize(const Found& found);

// Events that a walk passed over because their records are damaged: whether they match cannot be said.
struct Unreadable {
  std::uint64_t count = 0;
  std::vector<storage::Sequence> named;  // the first limits::kUnreadableNamedMax
  void Add(storage::Sequence sequence);
};

struct Step {
  storage::Sequence next = storage::kNoSequence;  // where the following step starts
  bool finished = false;                          // nothing further in this direction can match
  Unreadable unreadable = {};
};

// Oldest first, from `from` on; looks at no more than `scan_max` events.
storage::StoreResult<Step> ScanForward(const storage::EventStore& store, const DeliverySnapshot& snapshot,
                                       const EventFilter& filter, storage::Sequence from,
                                       std::size_t scan_max, const VisitFound& visit);

// Newest first, below `before`; whole chunks of the log are read forwards, because that is what the log is
// good at.
storage::StoreResult<Step> ScanBackward(const storage::EventStore& store, const DeliverySnapshot& snapshot,
                                        const EventFilter& filter, storage::Sequence before,
                                        std::size_t scan_max, const std::function<bool(EventSummary)>& visit);

}  // namespace weir::admin
