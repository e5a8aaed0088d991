#include "engine/admin/delivery_snapshot.h"

#include <algorithm>
#include <utility>

#include "engine/deliver/route_table.h"

namespace weir::admin {

namespace {

void SortUnique(std::vector<storage::Sequence>& sequences) {
  std::sort(sequences.begin(), sequences.end());
  sequences.erase(std::unique(sequences.begin(), sequences.end()), sequences.end());
}

storage::StoreResult<std::vector<SinkFate>> RoutedAndRemembered(const storage::EventStore& store) {
  std::vector<SinkFate> sinks;
  const auto fate_of = [&sinks](std::string_view name) -> SinkFate& {
    const auto found =
        std::find_if(sinks.begin(), sinks.end(), [&](const SinkFate& fate) { return fate.sink == name; });
    if (found != sinks.end()) return *found;
    return sinks.emplace_back(
        SinkFate{.sink = std::string(name), .routes = {}, .position = {}, .retrying = {}, .dead = {}});
  };

  auto names = store.SinkNames();
  if (!names) return std::unexpected(names.error());
  for (const std::string& name : *names) fate_of(name);

  auto routes = store.GetMeta(deliver::kRoutesKey);
  if (!routes && routes.error().code != storage::StoreErrorCode::kNotFound)
    return std::unexpected(routes.error());
  if (routes) {
    for (config::Route& route : deliver::ParseRoutes(*routes)) {
      SinkFate& fate = fate_of(route.sink);
      fate.routes.push_back(std::move(route));
    }
  }
  return sinks;
}

storage::StoreResult<void> AddRetries(const storage::EventStore& store, SinkFate& fate) {
  const auto retries = store.LoadRetries(fate.sink);
  if (!retries) return std::unexpected(retries.error());
  for (const storage::RetryEntry& retry : *retries) fate.retrying.push_back(retry.sequence);
  return {};
}

// The order matters while delivery runs. An event leaves the position's pending range together with its retry
// or dead letter, so those are read after the position; and it may move between schedule and dead letters in
// either direction, so the schedule is read on both sides of them.
storage::StoreResult<void> Fill(const storage::EventStore& store, SinkFate& fate) {
  auto position = store.LoadPosition(fate.sink);
  if (position) {
    fate.position = std::move(*position);
  } else if (position.error().code != storage::StoreErrorCode::kNotFound) {
    return std::unexpected(position.error());
  }
  if (auto added = AddRetries(store, fate); !added) return added;
  auto visited = store.VisitDeadLetters(fate.sink, [&fate](const storage::DeadLetter& dead) {
    if (dead.sink == fate.sink) fate.dead.push_back(dead.sequence);
    return true;
  });
  if (!visited) return visited;
  if (auto added = AddRetries(store, fate); !added) return added;
  SortUnique(fate.retrying);
  SortUnique(fate.dead);
  return {};
}

}  // namespace

storage::StoreResult<std::vector<std::string>> KnownSinks(const storage::EventStore& store) {
  const auto sinks = RoutedAndRemembered(store);
  if (!sinks) return std::unexpected(sinks.error());
  std::vector<std::string> names;
  for (const SinkFate& fate : *sinks) names.push_back(fate.sink);
  return names;
}

storage::StoreResult<DeliverySnapshot> TakeSnapshot(const storage::EventStore& store) {
  auto sinks = RoutedAndRemembered(store);
  if (!sinks) return std::unexpected(sinks.error());
  for (SinkFate& fate : *sinks) {
    if (auto filled = Fill(store, fate); !filled) return std::unexpected(filled.error());
  }
  return DeliverySnapshot{.sinks = std::move(*sinks)};
}

}  // namespace weir::admin
