// What a worker makes of a sink that fails.
#include <gtest/gtest.h>

#include <atomic>
#include <fstream>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>

#include "engine/sink/cloud_event.h"
#include "tests/support/sync_fault.h"
#include "tests/unit/deliver/worker_fixture.h"

namespace weir::deliver {
namespace {

using WorkerFailure = WorkerTest;

ScriptedPeer::Script FailOnly(const std::string& id, const PeerAnswer& answer) {
  return [id, answer](const PeerRequest& request) {
    return request.Header("ce-id") == id ? answer : PeerAnswer{};
  };
}

TEST_F(WorkerFailure, FailureIsTriedAgainUntilItSucceeds) {
  std::set<std::string> seen;
  ScriptedPeer peer([&](const PeerRequest& request) -> PeerAnswer {
    return {.status = seen.insert(request.Header("ce-id")).second ? 500 : 200};
  });
  Run(peer);
  AppendMany(0, 50);
  ASSERT_TRUE(peer.WaitForRequests(100));
  EXPECT_TRUE(OffsetReachesTheEnd());
  EXPECT_TRUE(Eventually([&] { return Retries().empty() && probe_->retry_queue_size.value() == 0; }));
  EXPECT_EQ(probe_->failed[static_cast<std::size_t>(observe::FailureReason::kStatus5xx)].value(), 50u);
  std::map<std::string, std::string> last_attempt;
  for (const PeerRequest& request : peer.requests())
    last_attempt[request.Header("ce-id")] = request.Header("weir-attempt");
  for (const auto& [id, attempt] : last_attempt) EXPECT_EQ(attempt, "2") << id;
}

TEST_F(WorkerFailure, PoisonEventDiesWithItsReasonWhileOthersFlow) {
  ScriptedPeer peer(FailOnly("poison", {.status = 500, .body = "cannot digest"}));
  Run(peer);
  Append({{.id = "poison"}});
  AppendMany(0, 100);
  ASSERT_TRUE(peer.WaitForRequests(103));
  ASSERT_TRUE(Eventually([&] { return DeadLetters().size() == 1; }));
  const storage::DeadLetter letter = DeadLetters()[0];
  EXPECT_EQ(letter.sequence, 1u);
  EXPECT_EQ(letter.reason, "attempts_exhausted");
  EXPECT_EQ(letter.attempts, 3u);
  EXPECT_EQ(letter.last_answer, "500: cannot digest");
  EXPECT_GT(letter.died_at_us, 1'767'225'600'000'000);
  EXPECT_TRUE(OffsetReachesTheEnd());
  EXPECT_EQ(CountsById(peer)["poison"], 3);
  EXPECT_TRUE(Eventually([&] { return probe_->dead_letters.value() == 1; }));
  EXPECT_EQ(probe_->dead_lettered.value(), 1u);
}

TEST_F(WorkerFailure, RefusalForGoodDiesAtOnce) {
  ScriptedPeer peer(FailOnly("gone", {.status = 410}));
  Run(peer);
  Append({{.id = "gone"}, {.id = "fine"}});
  ASSERT_TRUE(Eventually([&] { return DeadLetters().size() == 1; }));
  EXPECT_EQ(DeadLetters()[0].reason, "410");
  EXPECT_EQ(DeadLetters()[0].attempts, 1u);
  EXPECT_EQ(CountsById(peer)["gone"], 1);
}

TEST_F(WorkerFailure, RetryAfterIsHonoured) {
  sink_.retry.jitter = 0;
  ScriptedPeer peer([](const PeerRequest& request) -> PeerAnswer {
    if (request.Header("weir-attempt") == "1") return {.status = 429, .fields = "Retry-After: 50\r\n"};
    return {};
  });
  Run(peer);
  Append({{.id = "a"}});
  ASSERT_TRUE(Eventually([&] { return Retries().size() == 1; }));
  EXPECT_EQ(Retries()[0].due_us - Retries()[0].scheduled_at_us, 50'000'000);
  EXPECT_EQ(probe_->failed[static_cast<std::size_t>(observe::FailureReason::kThrottled)].value(), 1u);
}

TEST_F(WorkerFailure, SaysThatAFirstAttemptIsUnderWay) {
  ScriptedPeer peer([](const PeerRequest&) -> PeerAnswer { return {.kind = PeerAnswer::Kind::kHang}; });
  sink_.concurrency = 2;
  Run(peer);
  Append({{.id = "a"}, {.id = "b"}, {.id = "c"}});
  EXPECT_TRUE(Eventually([&] { return probe_->first_attempts.value() == 2; }));
}

TEST_F(WorkerFailure, RetryAfterIsClampedToTheMaximum) {
  sink_.retry.max_ms = 20;
  ScriptedPeer peer([](const PeerRequest& request) -> PeerAnswer {
    if (request.Header("weir-attempt") == "1") return {.status = 503, .fields = "Retry-After: 86400\r\n"};
    return {};
  });
  Run(peer);
  Append({{.id = "a"}});
  EXPECT_TRUE(peer.WaitForRequests(2));
}

TEST_F(WorkerFailure, RetryOutlivesTheProcess) {
  sink_.retry.first_ms = 300;
  ScriptedPeer peer([](const PeerRequest& request) -> PeerAnswer {
    return {.status = request.Header("weir-attempt") == "1" ? 500 : 200};
  });
  Run(peer);
  Append({{.id = "a"}, {.id = "b"}});
  ASSERT_TRUE(Eventually([&] { return Retries().size() == 2; }));
  EXPECT_EQ(StoredOffset(), 2u) << "the schedule holds them now";
  EXPECT_EQ(Retries()[0].attempts, 1u);
  EXPECT_EQ(Retries()[0].last_outcome, "500 (status_5xx)");
  Stop();
  OpenStore();
  Run();
  EXPECT_EQ(probe_->retry_queue_size.value(), 2);
  ASSERT_TRUE(peer.WaitForRequests(4));
  EXPECT_TRUE(Eventually([&] { return Retries().empty(); }));
  EXPECT_EQ(peer.requests()[3].Header("weir-attempt"), "2");
}

TEST_F(WorkerFailure, HungSinkTimesOutAndIsTriedAgain) {
  sink_.timeout_ms = 1'000;  // long enough for the second attempts' answers on a slow machine
  ScriptedPeer peer([](const PeerRequest& request) -> PeerAnswer {
    return {.kind =
                request.Header("weir-attempt") == "1" ? PeerAnswer::Kind::kHang : PeerAnswer::Kind::kAnswer};
  });
  Run(peer);
  AppendMany(0, 20);
  ASSERT_TRUE(peer.WaitForRequests(40));
  EXPECT_TRUE(OffsetReachesTheEnd());
  EXPECT_TRUE(Eventually([&] { return Retries().empty(); }));
  EXPECT_EQ(probe_->failed[static_cast<std::size_t>(observe::FailureReason::kTimeout)].value(), 20u);
}

// One event hangs for as long as the sink's timeout allows; more events than the window above the offset
// holds pass it.
TEST_F(WorkerFailure, HungEventHoldsUpNoneOfTheOthers) {
  constexpr std::size_t kMore = limits::kSettledAboveMax + 500;
  sink_.timeout_ms = 600'000;
  sink_.concurrency = 16;
  ScriptedPeer peer(FailOnly("hung", {.kind = PeerAnswer::Kind::kHang}));
  Run(peer);
  Append({{.id = "hung"}});
  AppendMany(0, kMore, 500);
  ASSERT_TRUE(peer.WaitForRequests(kMore + 1));
  EXPECT_TRUE(OffsetReachesTheEnd());
  ASSERT_EQ(Retries().size(), 1u) << "the schedule remembers what the offset has passed";
  EXPECT_EQ(Retries()[0].sequence, 1u);
  EXPECT_EQ(Retries()[0].attempts, 0u);
}

TEST_F(WorkerFailure, DrainAskedForTwiceEndsAtTheEarlierTime) {
  sink_.timeout_ms = 2'000;
  ScriptedPeer peer([](const PeerRequest&) -> PeerAnswer { return {.kind = PeerAnswer::Kind::kHang}; });
  Run(peer);
  Append({{.id = "a"}});
  ASSERT_TRUE(peer.WaitForRequests(1));
  worker_->RequestStop(0);
  worker_->Stop(600'000);
  EXPECT_EQ(probe_->failed[static_cast<std::size_t>(observe::FailureReason::kTimeout)].value(), 0u);
}

// A line is in the page cache when its sync fails; that is not delivered.
TEST_F(WorkerFailure, FileSinkWhoseSyncFailsSettlesNothingUntilOneSucceeds) {
  sink_.kind = config::SinkKind::kFile;
  sink_.path = directory_ / "out.ndjson";
  sink_.retry = {.attempts = 1000, .first_ms = 10, .factor = 1.0, .max_ms = 10, .jitter = 0.0};
  constexpr auto kIo = static_cast<std::size_t>(observe::FailureReason::kIo);
  auto broken = std::make_unique<tests::BrokenLineFileSyncs>();
  Run();
  Append({{.id = "a"}, {.id = "b"}});
  ASSERT_TRUE(Eventually([&] { return probe_->failed[kIo].value() >= 6; }));
  EXPECT_EQ(probe_->processed.value(), 0u);
  ASSERT_TRUE(Eventually([&] { return Retries().size() == 2; }));
  Stop();
  EXPECT_EQ(Retries().size(), 2u) << "what was never on disk is owed after a restart too";
  broken.reset();
  OpenStore();
  Run();
  ASSERT_TRUE(Eventually([&] { return Retries().empty(); }));
  EXPECT_EQ(probe_->processed.value(), 2u);
  std::ifstream lines(sink_.path);
  std::set<Sequence> delivered;
  for (std::string line; std::getline(lines, line);) delivered.insert(sink::SequenceOfLine(line));
  EXPECT_EQ(delivered, (std::set<Sequence>{1, 2}));
}

TEST_F(WorkerFailure, BreakerStopsTheFlood) {
  sink_.breaker = {.failures = 5, .open_ms = 3'600'000};
  sink_.retry.first_ms = 60'000;  // no event comes twice before the breaker opens
  sink_.concurrency = 4;
  ScriptedPeer peer([](const PeerRequest&) -> PeerAnswer { return {.status = 500}; });
  Run(peer);
  AppendMany(0, 200);
  ASSERT_TRUE(Eventually([&] { return probe_->breaker_open.value() == 1; }));
  Stop();
  EXPECT_LE(peer.count(), 5u + 4u);
  EXPECT_GE(peer.count(), 5u);
  EXPECT_EQ(StoredOffset(), peer.count()) << "what was not attempted is not passed";
  EXPECT_EQ(Retries().size(), peer.count());
}

TEST_F(WorkerFailure, ProbeClosesTheBreakerAndEverythingArrives) {
  sink_.breaker = {.failures = 3, .open_ms = 50};
  sink_.retry.attempts = 1'000;
  std::atomic<bool> works{false};
  ScriptedPeer peer([&](const PeerRequest&) -> PeerAnswer { return {.status = works ? 200 : 503}; });
  Run(peer);
  AppendMany(0, 100);
  ASSERT_TRUE(Eventually([&] { return probe_->breaker_open.value() == 1; }));
  works = true;
  EXPECT_TRUE(Eventually([&] { return probe_->processed.value() == 100; }));
  EXPECT_TRUE(OffsetReachesTheEnd());
  EXPECT_TRUE(Eventually([&] { return probe_->breaker_open.value() == 0; }));
}

TEST_F(WorkerFailure, SinkThatIsNotThereGetsEverythingOnceItIs) {
  sink_.retry.attempts = 1'000;
  sink_.url = "http://127.0.0.1:" + std::to_string(tests::ClosedPort()) + "/";
  Run();
  AppendMany(0, 30);
  ASSERT_TRUE(Eventually([&] {
    return probe_->failed[static_cast<std::size_t>(observe::FailureReason::kConnect)].value() > 30;
  }));
  ScriptedPeer peer;
  sink_.url = peer.url();
  worker_->Reconfigure(sink_, routes_);
  EXPECT_TRUE(Eventually([&] { return CountsById(peer).size() == 30; }));
}

TEST_F(WorkerFailure, StopWaitsForAttemptsUnderWay) {
  std::atomic<bool> gate_open{false};
  ScriptedPeer peer([&](const PeerRequest&) -> PeerAnswer {
    gate_open.wait(false);
    return {};
  });
  Run(peer);
  Append({{.id = "a"}});
  ASSERT_TRUE(Eventually([&] { return peer.connections() == 1; }));
  std::thread opener([&] {
    gate_open = true;
    gate_open.notify_all();
  });
  Stop();
  opener.join();
  EXPECT_EQ(StoredOffset(), 1u);
}

TEST_F(WorkerFailure, StopGivesUpOnAHungSinkAndForgetsNothing) {
  ScriptedPeer peer([](const PeerRequest& request) -> PeerAnswer {
    return {.kind = request.connection <= 2 ? PeerAnswer::Kind::kHang : PeerAnswer::Kind::kAnswer};
  });
  sink_.concurrency = 2;
  Run(peer);
  AppendMany(0, 10);
  ASSERT_TRUE(peer.WaitForRequests(2));
  Stop(20);
  EXPECT_EQ(StoredOffset(), 0u);
  Run();
  EXPECT_TRUE(Eventually([&] { return CountsById(peer).size() == 10; }));
}

}  // namespace
}  // namespace weir::deliver
