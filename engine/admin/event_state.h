// What became of an event, derived from what delivery keeps: the sinks' positions, the retry schedules, the
// dead letters, and the routes that say which sinks the event is meant for. Pure over a snapshot of these.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "engine/admin/delivery_snapshot.h"
#include "storage/event.h"

namespace weir::admin {

// Of several sinks the worst one counts, in this order: dead, retrying, pending, delivered.
enum class EventState : std::uint8_t {
  kPending,    // a sink has not taken it yet
  kDelivered,  // every matching sink has taken it
  kRetrying,   // a sink failed and will be tried again
  kDead,       // a sink's dead letter
  kMalformed,  // verified, but unusable: never offered to a sink
  kUnrouted,   // no route takes it, or it was there before the sinks that it would be routed to
  kConflict,   // not in the log: came under a stored event's id with other bytes, and is kept beside it
};
inline constexpr std::string_view kStateNames =
    "pending, delivered, retrying, dead, malformed, unrouted, conflict";
std::string_view StateName(EventState state);
std::optional<EventState> ParseState(std::string_view name);

// nullopt: the event is not meant for this sink and never was.
std::optional<EventState> StateAt(const SinkFate& sink, const storage::Event& event);
EventState StateOf(const DeliverySnapshot& snapshot, const storage::Event& event);

}  // namespace weir::admin
