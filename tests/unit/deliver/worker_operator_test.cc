// What an operator does to a worker that runs: reloads, retries and drops dead letters.
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "engine/sink/cloud_event.h"
#include "tests/unit/deliver/worker_fixture.h"

namespace weir::deliver {
namespace {

class WorkerOperator : public WorkerTest {
 protected:
  void Act(DeadLetterAction::Kind kind, std::vector<Sequence> sequences) {
    worker_->Submit({.kind = kind, .sequences = std::move(sequences)});
  }
  std::vector<Sequence> SequencesIn(const std::filesystem::path& file) const {
    std::ifstream in(file);
    std::vector<Sequence> sequences;
    for (std::string line; std::getline(in, line);) sequences.push_back(sink::SequenceOfLine(line));
    return sequences;
  }
};

TEST_F(WorkerOperator, RetriedDeadLetterStartsOver) {
  std::atomic<bool> works{false};
  ScriptedPeer peer([&](const PeerRequest&) -> PeerAnswer { return {.status = works ? 200 : 500}; });
  Run(peer);
  AppendMany(0, 5);
  ASSERT_TRUE(Eventually([&] { return probe_->dead_letters.value() == 5; }));
  works = true;
  Act(DeadLetterAction::Kind::kRetry, {1, 2, 3});
  ASSERT_TRUE(Eventually([&] { return probe_->processed.value() == 3; }));
  EXPECT_TRUE(Eventually([&] { return DeadLetters().size() == 2 && Retries().empty(); }));
  EXPECT_TRUE(Eventually([&] { return probe_->dead_letters.value() == 2; }));
  EXPECT_EQ(peer.requests().back().Header("weir-attempt"), "1");
}

TEST_F(WorkerOperator, RetriedDeadLetterCanDieAgain) {
  ScriptedPeer peer([](const PeerRequest&) -> PeerAnswer { return {.status = 410}; });
  Run(peer);
  Append({{.id = "a"}});
  ASSERT_TRUE(Eventually([&] { return DeadLetters().size() == 1; }));
  const auto first_death = DeadLetters()[0].died_at_us;
  Act(DeadLetterAction::Kind::kRetry, {1});
  ASSERT_TRUE(peer.WaitForRequests(2));
  EXPECT_TRUE(Eventually([&] {
    const auto letters = DeadLetters();
    return letters.size() == 1 && letters[0].died_at_us > first_death;
  }));
  EXPECT_TRUE(Eventually([&] { return Retries().empty(); }));
}

TEST_F(WorkerOperator, DroppedDeadLetterIsGoneAndNotSent) {
  ScriptedPeer peer([](const PeerRequest&) -> PeerAnswer { return {.status = 410}; });
  Run(peer);
  AppendMany(0, 3);
  ASSERT_TRUE(Eventually([&] { return probe_->dead_letters.value() == 3; }));
  Act(DeadLetterAction::Kind::kDrop, {1, 3});
  ASSERT_TRUE(Eventually([&] { return DeadLetters().size() == 1; }));
  EXPECT_EQ(DeadLetters()[0].sequence, 2u);
  EXPECT_TRUE(Eventually([&] { return probe_->dead_letters.value() == 1; }));
  EXPECT_EQ(peer.count(), 3u);
}

TEST_F(WorkerOperator, MalformedEventIsSentWhenTheOperatorSaysSo) {
  ScriptedPeer peer;
  Run(peer);
  Append({{.id = "broken", .malformed = "no event id at /id"}, {.id = "fine"}});
  ASSERT_TRUE(OffsetReachesTheEnd());
  Act(DeadLetterAction::Kind::kRetry, {1});
  ASSERT_TRUE(peer.WaitForRequests(2));
  EXPECT_EQ(CountsById(peer), (std::map<std::string, int>{{"broken", 1}, {"fine", 1}}));
  EXPECT_TRUE(Eventually([&] { return Retries().empty(); }));
}

TEST_F(WorkerOperator, ActionOnWhatDoesNotExistIsHarmless) {
  ScriptedPeer peer;
  Run(peer);
  AppendMany(0, 3);
  ASSERT_TRUE(OffsetReachesTheEnd());
  Act(DeadLetterAction::Kind::kRetry, {0, 4, 1'000'000});
  Act(DeadLetterAction::Kind::kDrop, {0, 2, 1'000'000});
  Act(DeadLetterAction::Kind::kRetry, {2});
  ASSERT_TRUE(peer.WaitForRequests(4));
  EXPECT_TRUE(Eventually([&] { return probe_->processed.value() == 4; }));
}

TEST_F(WorkerOperator, NewUrlGetsWhatComesAfterAndNothingIsLost) {
  ScriptedPeer before;
  ScriptedPeer after;
  Run(before);
  AppendMany(0, 100);
  sink_.url = after.url();
  worker_->Reconfigure(sink_, routes_);
  AppendMany(100, 100);
  EXPECT_TRUE(OffsetReachesTheEnd());
  std::set<std::string> ids;
  for (const auto& [id, times] : CountsById(before)) ids.insert(id);
  for (const auto& [id, times] : CountsById(after)) ids.insert(id);
  EXPECT_EQ(ids.size(), 200u);
  EXPECT_EQ(CountsById(after).count("evt_199"), 1u);
}

TEST_F(WorkerOperator, NewSecretSignsWhatComesAfter) {
  ScriptedPeer peer;
  Run(peer);
  Append({{.id = "unsigned"}});
  ASSERT_TRUE(peer.WaitForRequests(1));
  sink_.secrets = {"a secret that is long enough"};
  worker_->Reconfigure(sink_, routes_);
  Append({{.id = "signed"}});
  ASSERT_TRUE(peer.WaitForRequests(2));
  EXPECT_EQ(peer.requests()[0].Header("webhook-signature"), "");
  EXPECT_NE(peer.requests()[1].Header("webhook-signature"), "");
}

TEST_F(WorkerOperator, NewTimeoutEndsTheNextAttempts) {
  ScriptedPeer peer([](const PeerRequest& request) -> PeerAnswer {
    return request.Header("ce-id") == "hangs" ? PeerAnswer{.kind = PeerAnswer::Kind::kHang} : PeerAnswer{};
  });
  sink_.timeout_ms = 3'600'000;
  Run(peer);
  Append({{.id = "a"}});
  ASSERT_TRUE(peer.WaitForRequests(1));
  sink_.timeout_ms = 50;
  worker_->Reconfigure(sink_, routes_);
  Append({{.id = "hangs"}});
  EXPECT_TRUE(Eventually([&] {
    return probe_->failed[static_cast<std::size_t>(observe::FailureReason::kTimeout)].value() > 0;
  }));
}

TEST_F(WorkerOperator, NewDeadLetterStatusesEndTheNextAttempts) {
  ScriptedPeer peer([](const PeerRequest& request) -> PeerAnswer {
    return {.status = request.Header("ce-id") == "teapot" ? 418 : 200};
  });
  sink_.retry = {.attempts = 9, .first_ms = 3'600'000, .factor = 1, .max_ms = 3'600'000, .jitter = 0};
  Run(peer);
  Append({{.id = "a"}});
  ASSERT_TRUE(peer.WaitForRequests(1));
  sink_.dead_letter_statuses = {418};
  worker_->Reconfigure(sink_, routes_);
  Append({{.id = "teapot"}});
  EXPECT_TRUE(Eventually([&] { return DeadLetters().size() == 1; }));
}

TEST_F(WorkerOperator, ReloadWaitsForAttemptsUnderWay) {
  ScriptedPeer before([](const PeerRequest&) -> PeerAnswer { return {.kind = PeerAnswer::Kind::kHang}; });
  ScriptedPeer after;
  sink_.timeout_ms = 200;
  Run(before);
  Append({{.id = "a"}});
  ASSERT_TRUE(before.WaitForRequests(1));
  sink_.url = after.url();
  worker_->Reconfigure(sink_, routes_);
  ASSERT_TRUE(after.WaitForRequests(1));
  EXPECT_EQ(after.requests()[0].Header("weir-attempt"), "2");
}

TEST_F(WorkerOperator, NewRoutesApplyToWhatWasNotReadYet) {
  ScriptedPeer peer;
  Run(peer);
  Append({{.id = "a", .type = "order.paid"}});
  ASSERT_TRUE(OffsetReachesTheEnd());
  routes_ = {{.source = "*", .types = {"cart.*"}, .sink = "billing"}};
  worker_->Reconfigure(sink_, routes_);
  // The worker reads its mail before the events that come after it.
  Append({{.id = "b", .type = "order.paid"}, {.id = "c", .type = "cart.left"}});
  ASSERT_TRUE(OffsetReachesTheEnd());
  EXPECT_EQ(CountsById(peer), (std::map<std::string, int>{{"a", 1}, {"c", 1}}));
}

TEST_F(WorkerOperator, NewPathGetsTheNextLines) {
  sink_.kind = config::SinkKind::kFile;
  sink_.path = directory_ / "first.ndjson";
  Run();
  AppendMany(0, 10);
  ASSERT_TRUE(OffsetReachesTheEnd());
  const auto first = sink_.path;
  sink_.path = directory_ / "second.ndjson";
  worker_->Reconfigure(sink_, routes_);
  AppendMany(10, 10);
  ASSERT_TRUE(OffsetReachesTheEnd());
  EXPECT_EQ(SequencesIn(first).size() + SequencesIn(sink_.path).size(), 20u);
  EXPECT_EQ(SequencesIn(sink_.path).back(), 20u);
}

TEST_F(WorkerOperator, SamePathCanBeReopenedWithOtherRotation) {
  sink_.kind = config::SinkKind::kFile;
  sink_.path = directory_ / "out.ndjson";
  Run();
  AppendMany(0, 10);
  ASSERT_TRUE(OffsetReachesTheEnd());
  sink_.rotate_bytes = 1;
  worker_->Reconfigure(sink_, routes_);
  AppendMany(10, 10);
  ASSERT_TRUE(OffsetReachesTheEnd());
  EXPECT_EQ(SequencesIn(sink_.path).size(), 10u);
  EXPECT_EQ(SequencesIn(directory_ / "out-00000000000000000001-00000000000000000010.ndjson").size(), 10u);
}

TEST_F(WorkerOperator, SinkThatCannotBeOpenedAfterAReloadIsOpenedWhenItCan) {
  sink_.kind = config::SinkKind::kFile;
  sink_.path = directory_ / "first.ndjson";
  Run();
  sink_.path = directory_ / "missing" / "second.ndjson";
  worker_->Reconfigure(sink_, routes_);
  AppendMany(0, 10);
  ASSERT_TRUE(Eventually([&] { return probe_->queue_depth.value() == 10; }));
  std::filesystem::create_directory(directory_ / "missing");
  ASSERT_TRUE(OffsetReachesTheEnd());
  EXPECT_EQ(SequencesIn(sink_.path).size(), 10u);
}

TEST_F(WorkerOperator, SinkThatCannotBeOpenedAtTheStartSaysWhyAndIsOpenedWhenItCan) {
  sink_.kind = config::SinkKind::kFile;
  sink_.path = directory_ / "missing" / "out.ndjson";
  Run();
  AppendMany(0, 10);
  ASSERT_TRUE(Eventually([&] { return probe_->queue_depth.value() == 10; }));
  ASSERT_TRUE(Eventually(
      [&] { return probe_->cannot_open.value().find("missing/out.ndjson") != std::string::npos; }));
  std::filesystem::create_directory(directory_ / "missing");
  ASSERT_TRUE(OffsetReachesTheEnd());
  EXPECT_EQ(SequencesIn(sink_.path).size(), 10u);
  EXPECT_EQ(probe_->cannot_open.value(), "");
  EXPECT_FALSE(failed_);
}

// The kinds of "cannot be opened" that the configuration does not see.
TEST_F(WorkerOperator, SinkThatCannotBeOpenedEndsWhenItIsAsked) {
  sink_.url = "https://example.com/";
  Run();
  ASSERT_TRUE(Eventually([&] { return !probe_->cannot_open.value().empty(); }));
  Stop();
  sink_.kind = config::SinkKind::kFile;
  for (const std::filesystem::path& path : {directory_.path(), directory_ / "data" / "nowhere" / "x"}) {
    sink_.path = path;
    Run();
    ASSERT_TRUE(Eventually([&] { return !probe_->cannot_open.value().empty(); })) << path;
    Stop();
  }
}

// A sink that refuses one event for good is a sink that works.
TEST_F(WorkerOperator, RefusalsForGoodDoNotOpenTheBreaker) {
  ScriptedPeer peer([](const PeerRequest&) -> PeerAnswer { return {.status = 410}; });
  sink_.breaker = {.failures = 3, .open_ms = 600'000};
  Run(peer);
  AppendMany(0, 20);
  ASSERT_TRUE(OffsetReachesTheEnd());
  EXPECT_EQ(DeadLetters().size(), 20u);
  EXPECT_EQ(probe_->breaker_open.value(), 0);
}

TEST_F(WorkerOperator, IsToldWhileTheStoreTakesNoSettlements) {
  ScriptedPeer peer([](const PeerRequest&) -> PeerAnswer { return {.status = 410}; });
  Run(peer);
  store_->AllowSettlements(0);
  Append({{.id = "a"}});
  ASSERT_TRUE(
      Eventually([&] { return probe_->held.value() == "the disk is nearly full: nothing is settled"; }));
  store_->AllowSettlements(1 << 20);
  EXPECT_TRUE(Eventually([&] { return probe_->held.value().empty(); }));
  EXPECT_TRUE(Eventually([&] { return DeadLetters().size() == 1; }));
}

}  // namespace
}  // namespace weir::deliver
