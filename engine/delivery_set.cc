#include "engine/delivery_set.h"

#include <algorithm>
#include <random>
#include <utility>

#include "engine/deliver/route_table.h"
#include "engine/observe/log.h"

namespace weir {

namespace {

constexpr std::int64_t kRemovedSinkDrainMs = 5'000;

std::vector<config::Route> RoutesTo(const std::vector<config::Route>& routes, std::string_view sink) {
  std::vector<config::Route> matching;
  std::ranges::copy_if(routes, std::back_inserter(matching),
                       [&](const config::Route& route) { return route.sink == sink; });
  return matching;
}

}  // namespace

std::expected<std::unique_ptr<DeliverySet>, std::string> DeliverySet::Create(storage::EventStore& store,
                                                                             const config::Config& config,
                                                                             std::int64_t now_us,
                                                                             OnFailure on_failure) {
  std::unique_ptr<DeliverySet> set(new DeliverySet(store, std::move(on_failure)));
  if (auto begun = set->Begin(config.sinks, now_us); !begun) return std::unexpected(begun.error());
  for (const auto& sink : config.sinks) {
    auto slot = set->MakeSlot(sink, config.routes);
    if (!slot) return std::unexpected(slot.error());
    set->slots_.push_back(std::move(*slot));
  }
  if (auto saved = set->SaveRoutes(config.routes); !saved) return std::unexpected(saved.error());
  return set;
}

std::expected<std::vector<deliver::SinkStart>, std::string> DeliverySet::Begin(
    const std::vector<config::Sink>& sinks, std::int64_t now_us) {
  auto starts = deliver::FindSinkStarts(store_, sinks, now_us);
  if (!starts) return starts;
  if (auto begun = deliver::BeginNewSinks(store_, *starts); !begun) {
    return std::unexpected(begun.error().message);
  }
  for (const deliver::SinkStart& start : *starts) {
    if (const std::string note = deliver::Describe(start); !note.empty() && !start.known) {
      observe::log::Info("a sink begins", {{"sink", start.sink},
                                           {"first_sequence", start.first},
                                           {"events_before", start.before},
                                           {"note", note}});
    }
  }
  return starts;
}

std::expected<DeliverySet::Slot, std::string> DeliverySet::MakeSlot(
    const config::Sink& sink, const std::vector<config::Route>& routes) {
  auto probe = std::make_unique<observe::SinkProbe>();
  probe->sink = sink.name;
  auto worker = deliver::Worker::Create({.store = store_,
                                         .sink = sink,
                                         .routes = RoutesTo(routes, sink.name),
                                         .probe = *probe,
                                         .jitter_seed = std::random_device{}(),
                                         .on_failure = on_failure_});
  if (!worker) return std::unexpected("sink \"" + sink.name + "\": " + worker.error().message);
  return Slot{.probe = std::move(probe), .worker = std::move(*worker)};
}

std::expected<void, std::string> DeliverySet::SaveRoutes(const std::vector<config::Route>& routes) {
  auto saved = store_.PutMeta(deliver::kRoutesKey, deliver::SerializeRoutes(routes));
  if (!saved) return std::unexpected(saved.error().message);
  return {};
}

DeliverySet::Slot* DeliverySet::Find(std::string_view sink) {
  const auto found = std::ranges::find_if(slots_, [&](const Slot& slot) { return slot.probe->sink == sink; });
  return found == slots_.end() ? nullptr : &*found;
}

std::vector<commit::TailQueue*> DeliverySet::tails() const {
  const std::lock_guard lock(mutex_);
  std::vector<commit::TailQueue*> queues;
  queues.reserve(slots_.size());
  for (const Slot& slot : slots_) queues.push_back(&slot.worker->tail());
  return queues;
}

void DeliverySet::Start() {
  const std::lock_guard lock(mutex_);
  for (Slot& slot : slots_) slot.worker->Start();
}

// All are asked before the first is waited for: they drain side by side, and together take no longer than
// one.
void DeliverySet::StopTogether(std::vector<Slot>& slots, std::int64_t drain_ms) {
  for (const Slot& slot : slots) slot.worker->RequestStop(drain_ms);
  for (const Slot& slot : slots) slot.worker->Stop(drain_ms);
}

void DeliverySet::Stop(std::int64_t drain_ms) {
  const std::lock_guard lock(mutex_);
  StopTogether(slots_, drain_ms);
}

std::expected<std::vector<deliver::SinkStart>, std::string> DeliverySet::Prepare(const config::Config& config,
                                                                                 std::int64_t now_us) {
  next_slots_.clear();
  std::vector<config::Sink> added;
  std::ranges::copy_if(config.sinks, std::back_inserter(added),
                       [&](const config::Sink& sink) { return Find(sink.name) == nullptr; });
  auto starts = Begin(added, now_us);
  if (!starts) return starts;
  next_sinks_ = config.sinks;
  next_routes_ = config.routes;
  for (const auto& sink : added) {
    auto slot = MakeSlot(sink, config.routes);
    if (!slot) return std::unexpected(slot.error());
    next_slots_.push_back(std::move(*slot));
  }
  return starts;
}

void DeliverySet::Commit(const std::function<void(std::vector<commit::TailQueue*>)>& set_tails) {
  std::vector<Slot> removed;
  {
    const std::lock_guard lock(mutex_);
    const auto stays = [&](const Slot& slot) {
      return std::ranges::any_of(next_sinks_,
                                 [&](const auto& sink) { return sink.name == slot.probe->sink; });
    };
    const auto gone = std::ranges::partition(slots_, stays);
    std::ranges::move(gone, std::back_inserter(removed));
    slots_.erase(gone.begin(), gone.end());
    for (const auto& sink : next_sinks_) {
      if (Slot* slot = Find(sink.name)) slot->worker->Reconfigure(sink, RoutesTo(next_routes_, sink.name));
    }
    for (Slot& slot : next_slots_) {
      slot.worker->Start();
      slots_.push_back(std::move(slot));
    }
    next_slots_.clear();
  }
  set_tails(tails());
  StopTogether(removed, kRemovedSinkDrainMs);
  if (auto saved = SaveRoutes(next_routes_); !saved) {
    observe::log::Error("routes could not be recorded for offline commands", {{"reason", saved.error()}});
  }
}

std::vector<std::string> DeliverySet::sinks() const {
  std::vector<std::string> names;
  VisitProbes([&](const observe::SinkProbe& probe) { names.push_back(probe.sink); });
  return names;
}

void DeliverySet::VisitProbes(const std::function<void(const observe::SinkProbe&)>& visit) const {
  const std::lock_guard lock(mutex_);
  for (const Slot& slot : slots_) visit(*slot.probe);
}

bool DeliverySet::Submit(std::string_view sink, deliver::DeadLetterAction action) {
  const std::lock_guard lock(mutex_);
  Slot* slot = Find(sink);
  if (slot == nullptr) return false;
  slot->worker->Submit(std::move(action));
  return true;
}

}  // namespace weir
