#include "engine/admin/event_state.h"

#include <algorithm>
#include <array>
#include <utility>

#include "engine/deliver/route_table.h"

namespace weir::admin {

namespace {

constexpr std::array<std::pair<EventState, std::string_view>, 7> kNames = {{
    {EventState::kPending, "pending"},
    {EventState::kDelivered, "delivered"},
    {EventState::kRetrying, "retrying"},
    {EventState::kDead, "dead"},
    {EventState::kMalformed, "malformed"},
    {EventState::kUnrouted, "unrouted"},
    {EventState::kConflict, "conflict"},
}};

using Sequences = std::vector<storage::Sequence>;

bool Has(const Sequences& ascending, storage::Sequence sequence) {
  return std::binary_search(ascending.begin(), ascending.end(), sequence);
}

// A worse fate has a higher rank.
int Rank(EventState state) {
  switch (state) {
    case EventState::kDead:
      return 3;
    case EventState::kRetrying:
      return 2;
    case EventState::kPending:
      return 1;
    case EventState::kDelivered:
    case EventState::kMalformed:
    case EventState::kUnrouted:
    case EventState::kConflict:
      return 0;
  }
  return 0;
}

}  // namespace

std::string_view StateName(EventState state) {
  for (const auto& [value, name] : kNames) {
    if (value == state) return name;
  }
  return "unknown";
}

std::optional<EventState> ParseState(std::string_view name) {
  for (const auto& [value, known] : kNames) {
    if (known == name) return value;
  }
  return std::nullopt;
}

std::optional<EventState> StateAt(const SinkFate& sink, const storage::Event& event) {
  if (!event.malformed.empty()) return std::nullopt;
  if (Has(sink.dead, event.sequence)) return EventState::kDead;
  if (Has(sink.retrying, event.sequence)) return EventState::kRetrying;
  if (event.sequence < sink.position.began || !deliver::RoutesMatch(sink.routes, event)) return std::nullopt;
  const bool settled = event.sequence <= sink.position.offset || Has(sink.position.above, event.sequence);
  return settled ? EventState::kDelivered : EventState::kPending;
}

EventState StateOf(const DeliverySnapshot& snapshot, const storage::Event& event) {
  if (!event.malformed.empty()) return EventState::kMalformed;
  std::optional<EventState> worst;
  for (const SinkFate& sink : snapshot.sinks) {
    const auto state = StateAt(sink, event);
    if (state && (!worst || Rank(*state) > Rank(*worst))) worst = state;
  }
  return worst.value_or(EventState::kUnrouted);
}

}  // namespace weir::admin
