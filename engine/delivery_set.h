// The delivery workers of the running configuration, one a sink, and how a reload changes them. Used by the
// server's main thread; the admin thread asks it through the same lock.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "engine/commit/queues.h"
#include "engine/config/config.h"
#include "engine/deliver/sink_start.h"
#include "engine/deliver/worker.h"
#include "engine/observe/sink_probe.h"
#include "storage/event_store.h"

namespace weir {

class DeliverySet {
 public:
  using OnFailure = std::function<void(const storage::StoreError&)>;

  // Sinks that the store has not seen begin here: their positions are written and synced before this returns.
  static std::expected<std::unique_ptr<DeliverySet>, std::string> Create(storage::EventStore& store,
                                                                         const config::Config& config,
                                                                         std::int64_t now_us,
                                                                         OnFailure on_failure);

  // The queues the committer feeds.
  std::vector<commit::TailQueue*> tails() const;

  void Start();
  void Stop(std::int64_t drain_ms);

  // A reload in two steps, so that a sink that cannot be made leaves everything as it was: Prepare begins the
  // sinks that are new, makes their workers and returns where each starts; Commit reconfigures those that stay,
  // starts the new ones and stops those that are gone. `set_tails` is called before a removed worker is destroyed.
  std::expected<std::vector<deliver::SinkStart>, std::string> Prepare(const config::Config& config,
                                                                      std::int64_t now_us);
  void Commit(const std::function<void(std::vector<commit::TailQueue*>)>& set_tails);

  // Any thread.
  std::vector<std::string> sinks() const;
  // Any thread. `visit` must not keep the reference.
  void VisitProbes(const std::function<void(const observe::SinkProbe&)>& visit) const;
  // Any thread. False if no such sink runs.
  bool Submit(std::string_view sink, deliver::DeadLetterAction action);

 private:
  struct Slot {
    std::unique_ptr<observe::SinkProbe> probe;
    std::unique_ptr<deliver::Worker> worker;
  };
  DeliverySet(storage::EventStore& store, OnFailure on_failure)
      : store_(store), on_failure_(std::move(on_failure)) {}

  std::expected<std::vector<deliver::SinkStart>, std::string> Begin(const std::vector<config::Sink>& sinks,
                                                                    std::int64_t now_us);
  std::expected<Slot, std::string> MakeSlot(const config::Sink& sink,
                                            const std::vector<config::Route>& routes);
  static void StopTogether(std::vector<Slot>& slots, std::int64_t drain_ms);
  Slot* Find(std::string_view sink);
  std::expected<void, std::string> SaveRoutes(const std::vector<config::Route>& routes);

  storage::EventStore& store_;
  OnFailure on_failure_;
  mutable std::mutex mutex_;
  std::vector<Slot> slots_;  // protected by mutex_

  // Main thread, between Prepare and Commit.
  std::vector<config::Sink> next_sinks_;
  std::vector<config::Route> next_routes_;
  std::vector<Slot> next_slots_;  // of sinks that are new
};

}  // namespace weir
