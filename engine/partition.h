// A part of the log with everything that belongs to it alone: the store, the queue of what is to be stored in it, the
// committer, the probe that watches them. A server has one.
//
// With several, the source of an event alone would decide which it goes to. An id is unique within its source, and whatever
// comes under one id has to meet in one place; a request's events are committed in one batch, and are of one source. A key
// that orders deliveries belongs to a route, and decides nothing here.
#pragma once

#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/commit/committer.h"
#include "engine/commit/queues.h"
#include "engine/observe/probe.h"
#include "storage/event_store.h"

namespace weir {

class Partition {
 public:
  // The error is a sentence.
  static std::expected<std::unique_ptr<Partition>, std::string> Open(const storage::StoreOptions& options);

  storage::EventStore& store() { return *store_; }
  commit::AppendQueue& appends() { return appends_; }
  observe::CommitProbe& probe() { return probe_; }

  // Before Start. `answers` are those that hand in, by Append::shard; they are not touched once Stop has returned.
  // `on_failure` as in Committer::Wiring.
  void Connect(std::vector<commit::AckQueue*> answers,
               std::function<void(const storage::StoreError&)> on_failure);
  // Commits from here on.
  std::expected<void, std::string> Start();
  // As Committer has it.
  void SetTails(std::vector<commit::TailQueue*> tails);
  // Commits what is queued. Whoever hands in has stopped.
  void Stop();

 private:
  explicit Partition(std::unique_ptr<storage::EventStore> store) : store_(std::move(store)) {}

  std::unique_ptr<storage::EventStore> store_;
  commit::AppendQueue appends_;
  observe::CommitProbe probe_;
  std::unique_ptr<commit::Committer> committer_;
};

}  // namespace weir
