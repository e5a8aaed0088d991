// Which events a worker delivers, and from where it reads them.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <string>

#include "tests/unit/deliver/worker_fixture.h"

namespace weir::deliver {
namespace {

using WorkerLog = WorkerTest;

void ExpectEachOnce(const ScriptedPeer& peer, std::size_t count) {
  const auto counts = CountsById(peer);
  EXPECT_EQ(counts.size(), count);
  for (const auto& [id, times] : counts) EXPECT_EQ(times, 1) << id;
}

TEST_F(WorkerLog, EveryEventReachesTheSinkAndIsSettled) {
  ScriptedPeer peer;
  Run(peer);
  AppendMany(0, 500);
  ASSERT_TRUE(peer.WaitForRequests(500));
  EXPECT_TRUE(OffsetReachesTheEnd());
  ExpectEachOnce(peer, 500);
  EXPECT_TRUE(
      Eventually([&] { return probe_->queue_depth.value() == 0 && probe_->oldest_pending_us.value() == 0; }));
  EXPECT_EQ(probe_->processed.value(), 500u);
}

TEST_F(WorkerLog, RequestsSayWhichEventTheyAre) {
  ScriptedPeer peer;
  Run(peer);
  Append({{.id = "a"}, {.id = "b", .type = "order.sent", .body = "hello"}});
  ASSERT_TRUE(peer.WaitForRequests(2));
  for (const PeerRequest& request : peer.requests()) {
    const bool second = request.Header("ce-id") == "b";
    EXPECT_EQ(request.Header("weir-sequence"), second ? "2" : "1");
    EXPECT_EQ(request.Header("weir-attempt"), "1");
    EXPECT_EQ(request.Header("ce-type"), second ? "order.sent" : "order.paid");
    EXPECT_EQ(request.Header("ce-source"), "weir/shop");
    EXPECT_EQ(request.body, second ? "hello" : "{}");
  }
}

TEST_F(WorkerLog, BacklogFromBeforeTheStartIsRead) {
  AppendMany(0, 300);
  ScriptedPeer peer;
  Run(peer);
  ASSERT_TRUE(peer.WaitForRequests(300));
  EXPECT_TRUE(OffsetReachesTheEnd());
  ExpectEachOnce(peer, 300);
}

TEST_F(WorkerLog, RestartResumesAtTheOffset) {
  ScriptedPeer peer;
  Run(peer);
  AppendMany(0, 100);
  ASSERT_TRUE(peer.WaitForRequests(100));
  Stop();
  EXPECT_EQ(StoredOffset(), 100u) << "what was settled is written before the thread ends";
  AppendMany(100, 50);
  OpenStore();
  Run();
  ASSERT_TRUE(peer.WaitForRequests(150));
  EXPECT_TRUE(OffsetReachesTheEnd());
  ExpectEachOnce(peer, 150);
}

TEST_F(WorkerLog, DroppedGroupsAreReadFromTheLog) {
  ScriptedPeer peer;
  Run(peer);
  for (std::size_t i = 0; i < 40; ++i) AppendMany(i * 10, 10, 10, i % 3 == 0);
  ASSERT_TRUE(peer.WaitForRequests(400));
  ExpectEachOnce(peer, 400);
}

TEST_F(WorkerLog, DroppedGroupIsReadEvenIfNoneFollows) {
  ScriptedPeer peer;
  Run(peer);
  AppendMany(0, 10);
  ASSERT_TRUE(peer.WaitForRequests(10));
  AppendMany(10, 5, 5, false);
  worker_->tail().Offer(
      std::make_shared<commit::CommittedGroup>());  // the wake that a full queue still gives
  ASSERT_TRUE(peer.WaitForRequests(15));
}

TEST_F(WorkerLog, FallingBehindTheTailQueueLosesAndRepeatsNothing) {
  ScriptedPeer peer;
  sink_.url = peer.url();
  worker_ = MakeWorker();
  AppendMany(0, 2 * limits::kTailGroups, 1);
  worker_->Start();
  AppendMany(2 * limits::kTailGroups, 100, 1);
  ASSERT_TRUE(peer.WaitForRequests(2 * limits::kTailGroups + 100));
  EXPECT_TRUE(OffsetReachesTheEnd());
  ExpectEachOnce(peer, 2 * limits::kTailGroups + 100);
}

TEST_F(WorkerLog, OnlyRoutedEventsAreSentAndTheOthersHoldNothingUp) {
  routes_ = {{.source = "shop", .types = {"order.*"}, .sink = "billing"}};
  ScriptedPeer peer;
  Run(peer);
  for (int i = 0; i < 100; ++i) {
    Append({{.id = "o" + std::to_string(i), .type = "order.paid"},
            {.id = "c" + std::to_string(i), .type = "cart"}});
  }
  EXPECT_TRUE(OffsetReachesTheEnd());
  ExpectEachOnce(peer, 100);
  EXPECT_EQ(probe_->processed.value(), 100u);
}

TEST_F(WorkerLog, MalformedEventsAreNotOffered) {
  ScriptedPeer peer;
  Run(peer);
  Append({{.id = "a", .malformed = "no event id at /id"}, {.id = "b"}});
  EXPECT_TRUE(OffsetReachesTheEnd());
  EXPECT_EQ(CountsById(peer), (std::map<std::string, int>{{"b", 1}}));
}

TEST_F(WorkerLog, PositionPastTheEndOfTheLogSkipsNothingThatIsStoredLater) {
  ASSERT_TRUE(store_->Settle({.sink = "billing",
                              .position = storage::SinkPosition{.offset = 1'000, .above = {1'002}},
                              .retries_added = {},
                              .retries_removed = {},
                              .dead_added = {},
                              .dead_removed = {}}));
  ScriptedPeer peer;
  Run(peer);
  AppendMany(0, 20);
  ASSERT_TRUE(peer.WaitForRequests(20));
  ExpectEachOnce(peer, 20);
}

TEST_F(WorkerLog, StopEndsAWorkerThatWasNeverNeeded) {
  ScriptedPeer peer;
  Run(peer);
  Stop();
  EXPECT_EQ(peer.connections(), 0u);
  sink_.url = peer.url();
  worker_ = MakeWorker();
  worker_.reset();
  Append({{.id = "later"}});
  EXPECT_EQ(peer.connections(), 0u) << "what was ended, started or not, delivers nothing";
}

TEST_F(WorkerLog, BacklogIsSeenBeforeTheFirstDelivery) {
  AppendMany(0, 30);
  sink_.url = "http://127.0.0.1:1/";
  worker_ = MakeWorker();
  EXPECT_EQ(probe_->queue_depth.value(), 30);
  EXPECT_EQ(probe_->oldest_pending_us.value(), 1'767'225'600'000'000);
}

// Bytes of the table files are turned over while the store has them open: what is read from there no longer
// checks.
TEST_F(WorkerLog, DamagedLogStopsItsSinkAndIsNotASkip) {
  for (int i = 0; i < 40; ++i)
    Append({{.id = "evt_" + std::to_string(i), .body = std::string(200'000, 'x')}});
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory_)) {
    if (entry.path().extension() != ".sst" || entry.file_size() < 500'000) continue;
    std::fstream file(entry.path(), std::ios::binary | std::ios::in | std::ios::out);
    file.seekp(static_cast<std::streamoff>(entry.file_size() / 2));
    file << "damage";
  }
  ScriptedPeer peer;
  Run(peer);
  ASSERT_TRUE(Eventually([&] { return probe_->stopped_at.value() != 0; }));
  EXPECT_FALSE(failed_) << "others go on";
  worker_->Stop(1'000);
  const auto counts = CountsById(peer);
  for (std::size_t i = 0; i < counts.size(); ++i) {
    EXPECT_TRUE(counts.contains("evt_" + std::to_string(i))) << "something before it was skipped";
  }
  EXPECT_LT(StoredOffset(), 40u);
}

}  // namespace
}  // namespace weir::deliver
