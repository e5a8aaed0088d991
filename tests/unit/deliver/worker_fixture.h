// A store on disk, events put into it as the committer does, and workers that deliver them to a scripted
// peer.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <cstring>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/deliver/worker.h"
#include "storage/event_store.h"
#include "tests/support/eventually.h"
#include "tests/support/scripted_peer.h"
#include "tests/support/stored_events.h"
#include "tests/support/temp_directory.h"

namespace weir::deliver {

using storage::Sequence;
using tests::Eventually;
using tests::PeerAnswer;
using tests::PeerRequest;
using tests::ScriptedPeer;

struct NewEvent {
  std::string id;
  std::string type = "order.paid";
  std::string malformed = {};
  std::string body = "{}";
};

class WorkerTest : public testing::Test {
 protected:
  WorkerTest() {
    store_options_.directory = directory_.path() / "data";
    store_options_.memtable_bytes = 1u << 20;
    store_options_.sync = false;
    OpenStore();
    sink_.name = "billing";
    sink_.timeout_ms = 5'000;
    sink_.retry = {.attempts = 3, .first_ms = 10, .factor = 2.0, .max_ms = 60'000, .jitter = 0.1};
    sink_.breaker = {.failures = 1'000'000, .open_ms = 1'000};
    routes_ = {{.source = "*", .types = {}, .sink = "billing"}};
  }
  ~WorkerTest() override {
    worker_.reset();
    store_.reset();
  }

  void OpenStore() {
    store_.reset();
    auto opened = storage::EventStore::Open(store_options_);
    ASSERT_TRUE(opened) << opened.error().message;
    store_ = std::move(*opened);
  }

  // One commit. Offered to the worker that runs, unless the test wants it to have been dropped.
  void Append(const std::vector<NewEvent>& events, bool offer = true) {
    std::vector<storage::Event> raw;
    raw.reserve(events.size());
    for (const NewEvent& event : events) raw.push_back(Raw(event));
    tests::EncodedEvents encoded = tests::EncodeEvents(raw, 3'600'000'000);
    const auto results = tests::Commit(*store_, encoded);
    ASSERT_TRUE(results) << results.error().message;
    auto slab = std::make_shared<commit::Slab>(encoded.bytes.size());
    auto group = std::make_shared<commit::CommittedGroup>();
    group->first = results->front().sequence;
    for (const auto& record : encoded.records) {
      char* const sealed = slab->Reserve(record.size);
      std::memcpy(sealed, record.record, record.size);
      group->records.push_back({sealed, record.size});
      group->bytes += record.size;
    }
    group->slabs.push_back(std::move(slab));
    if (offer && worker_) worker_->tail().Offer(group);
  }
  // evt_<first> … in commits of `group_size`.
  void AppendMany(std::size_t first, std::size_t count, std::size_t group_size = 10, bool offer = true) {
    std::vector<NewEvent> group;
    for (std::size_t i = first; i < first + count; ++i) {
      group.push_back({.id = "evt_" + std::to_string(i)});
      if (group.size() == group_size || i + 1 == first + count) {
        Append(group, offer);
        group.clear();
      }
    }
  }

  std::unique_ptr<Worker> MakeWorker() {
    probe_ = std::make_unique<observe::SinkProbe>();
    auto worker = Worker::Create({.store = *store_,
                                  .sink = sink_,
                                  .routes = routes_,
                                  .probe = *probe_,
                                  .jitter_seed = 1,
                                  .on_failure = [this](const storage::StoreError& error) {
                                    failure_ = error.message;
                                    failed_ = true;
                                  }});
    EXPECT_TRUE(worker) << worker.error().message;
    return worker ? std::move(*worker) : nullptr;
  }
  void Run() {
    worker_.reset();
    worker_ = MakeWorker();
    worker_->Start();
  }
  void Run(const ScriptedPeer& peer) {
    sink_.url = peer.url();
    Run();
  }
  void Stop(std::int64_t drain_ms = 5'000) {
    worker_->Stop(drain_ms);
    worker_.reset();
  }

  // Everything in the log is settled, scheduled or dead, and that is written.
  bool OffsetReachesTheEnd() {
    return Eventually([this] { return StoredOffset() == store_->last_sequence(); });
  }
  Sequence StoredOffset() const {
    const auto position = store_->LoadPosition(sink_.name);
    return position ? position->offset : 0;
  }
  std::vector<storage::DeadLetter> DeadLetters() const {
    std::vector<storage::DeadLetter> letters;
    EXPECT_TRUE(store_->VisitDeadLetters(sink_.name, [&](const storage::DeadLetter& letter) {
      letters.push_back(letter);
      return true;
    }));
    return letters;
  }
  std::vector<storage::RetryEntry> Retries() const {
    auto retries = store_->LoadRetries(sink_.name);
    EXPECT_TRUE(retries);
    return retries.value_or(std::vector<storage::RetryEntry>{});
  }

  tests::TempDirectory directory_;
  storage::StoreOptions store_options_;
  std::unique_ptr<storage::EventStore> store_;
  config::Sink sink_;
  std::vector<config::Route> routes_;
  std::unique_ptr<observe::SinkProbe> probe_;
  std::unique_ptr<Worker> worker_;
  std::string failure_;  // read after failed_
  std::atomic<bool> failed_{false};

 private:
  static storage::Event Raw(const NewEvent& event) {
    storage::Event raw;
    raw.received_at_us = 1'767'225'600'000'000;
    raw.source = "shop";
    raw.id = event.id;
    raw.type = event.type;
    raw.malformed = event.malformed;
    raw.headers = "Content-Type: application/json\r\n";
    raw.body = event.body;
    return raw;
  }
};

// How often each id came.
inline std::map<std::string, int> CountsById(const ScriptedPeer& peer) {
  std::map<std::string, int> counts;
  for (const PeerRequest& request : peer.requests()) ++counts[request.Header("ce-id")];
  return counts;
}

}  // namespace weir::deliver
