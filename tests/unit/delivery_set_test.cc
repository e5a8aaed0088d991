// The workers of a configuration together: how they end.
#include "engine/delivery_set.h"

#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/scripted_peer.h"
#include "tests/support/stored_events.h"
#include "tests/support/temp_directory.h"

namespace weir {
namespace {

using tests::PeerAnswer;
using tests::PeerRequest;
using tests::ScriptedPeer;

constexpr std::int64_t kDrainMs = 20'000;

class DeliverySetTest : public testing::Test {
 protected:
  DeliverySetTest() : directory_(tests::MakeTempDirectory()) {
    storage::StoreOptions options;
    options.directory = directory_;
    options.sync = false;
    store_ = std::move(storage::EventStore::Open(options).value());
  }
  ~DeliverySetTest() override {
    set_.reset();
    store_.reset();
    std::filesystem::remove_all(directory_);
  }

  void AddSink(const std::string& name, const ScriptedPeer& peer) {
    config::Sink sink;
    sink.name = name;
    sink.url = peer.url();
    sink.start = {.at = config::Start::At::kBeginning};
    sink.timeout_ms = 3 * kDrainMs;
    config_.sinks.push_back(std::move(sink));
    config_.routes.push_back({.source = "*", .types = {}, .sink = name});
  }
  void StoreOneEvent() {
    storage::Event event;
    event.source = "shop";
    event.id = "evt_1";
    event.type = "order.paid";
    event.body = "{}";
    ASSERT_TRUE(tests::CommitEvents(*store_, {&event, 1}, 1));
  }
  void Start() {
    set_ = std::move(
        DeliverySet::Create(*store_, config_, 0, [](const storage::StoreError&) { FAIL(); }).value());
    set_->Start();
  }
  std::uint64_t Processed(std::string_view sink) const {
    std::uint64_t processed = 0;
    set_->VisitProbes([&](const observe::SinkProbe& probe) {
      if (probe.sink == sink) processed = probe.processed.value();
    });
    return processed;
  }

  std::filesystem::path directory_;
  std::unique_ptr<storage::EventStore> store_;
  config::Config config_;
  std::unique_ptr<DeliverySet> set_;
};

// The first sink's answer waits until the second one's worker has gone, which it does only when it was asked
// before the first had ended.
TEST_F(DeliverySetTest, SinksDrainSideBySide) {
  std::atomic<bool> asked{false};
  std::atomic<bool> second_ended{false};
  ScriptedPeer second;
  ScriptedPeer first([&](const PeerRequest&) -> PeerAnswer {
    asked = true;
    asked.notify_all();
    second_ended = second.WaitForEnd();
    return {};
  });
  AddSink("first", first);
  AddSink("second", second);
  StoreOneEvent();
  Start();
  asked.wait(false);
  ASSERT_TRUE(second.WaitForRequests(1));
  set_->Stop(kDrainMs);
  EXPECT_TRUE(second_ended);
  EXPECT_EQ(Processed("first"), 1u);
  EXPECT_EQ(Processed("second"), 1u);
}

// docs/format.md has the name: commands without a server and later builds look for it.
TEST_F(DeliverySetTest, RemembersItsRoutesUnderTheNameOfTheFormat) {
  ScriptedPeer peer;
  AddSink("first", peer);
  Start();
  EXPECT_EQ(store_->GetMeta("routes"), "first\t*\n");
}

}  // namespace
}  // namespace weir
