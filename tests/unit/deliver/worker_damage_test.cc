// A record that cannot be read, met by a worker: it stops there, says so, and goes past only when told to.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "tests/unit/deliver/worker_fixture.h"

namespace weir::deliver {
namespace {

class WorkerDamage : public WorkerTest {
 protected:
  // Ten events in a table; that with the id evt_<damaged> cannot be read.
  void StoreTen(int damaged) {
    for (int i = 0; i < 10; ++i) {
      Append(
          {{.id = "evt_" + std::to_string(i), .body = "body " + std::to_string(i) + std::string(200, 'x')}},
          false);
    }
    OpenStore();  // what is recovered becomes a table
    store_.reset();
    const std::string wanted = "body " + std::to_string(damaged);
    for (const auto& file : std::filesystem::directory_iterator(store_options_.directory / "store")) {
      if (file.path().extension() != ".sst") continue;
      std::ifstream in(file.path(), std::ios::binary);
      std::string bytes{std::istreambuf_iterator<char>(in), {}};
      const std::size_t at = bytes.find(wanted);
      if (at == std::string::npos) continue;
      bytes[at] = static_cast<char>(bytes[at] ^ 1);
      std::ofstream(file.path(), std::ios::binary).write(bytes.data(), std::ssize(bytes));
    }
    OpenStore();
  }
  bool StopsAt(Sequence sequence) {
    return Eventually([&] { return probe_->stopped_at.value() == static_cast<std::int64_t>(sequence); });
  }
};

TEST_F(WorkerDamage, DeliversWhatIsBeforeItAndStops) {
  StoreTen(4);
  ScriptedPeer peer([](const PeerRequest&) -> PeerAnswer { return {.status = 200}; });
  Run(peer);
  ASSERT_TRUE(StopsAt(5));
  EXPECT_TRUE(Eventually([&] { return StoredOffset() == 4; }));
  EXPECT_EQ(CountsById(peer).size(), 4u);
  EXPECT_FALSE(failed_);
  EXPECT_TRUE(DeadLetters().empty());
}

TEST_F(WorkerDamage, StopsThereAgainAfterARestart) {
  StoreTen(4);
  ScriptedPeer peer([](const PeerRequest&) -> PeerAnswer { return {.status = 200}; });
  Run(peer);
  ASSERT_TRUE(StopsAt(5));
  Stop();
  OpenStore();
  Run(peer);
  EXPECT_TRUE(StopsAt(5));
}

TEST_F(WorkerDamage, GoesPastItWhenToldToAndLeavesADeadLetter) {
  StoreTen(4);
  ScriptedPeer peer([](const PeerRequest&) -> PeerAnswer { return {.status = 200}; });
  Run(peer);
  ASSERT_TRUE(StopsAt(5));
  worker_->Submit({.kind = DeadLetterAction::Kind::kSkip, .sequences = {}});
  ASSERT_TRUE(OffsetReachesTheEnd());
  EXPECT_TRUE(StopsAt(0));
  EXPECT_EQ(CountsById(peer).size(), 9u);
  ASSERT_EQ(DeadLetters().size(), 1u);
  EXPECT_EQ(DeadLetters()[0].sequence, 5u);
  EXPECT_EQ(DeadLetters()[0].reason, kUnreadableReason);
}

TEST_F(WorkerDamage, OfAnEventThatWaitsForARetryHoldsThatOneAlone) {
  StoreTen(4);
  storage::SettlementBatch batch;
  batch.sink = "billing";
  batch.position = storage::SinkPosition{.offset = 5, .above = {}};
  batch.retries_added = {{.sequence = 5, .due_us = 1, .attempts = 1, .last_outcome = "503"}};
  ASSERT_TRUE(store_->Settle(batch));
  ScriptedPeer peer([](const PeerRequest&) -> PeerAnswer { return {.status = 200}; });
  Run(peer);
  ASSERT_TRUE(OffsetReachesTheEnd());
  EXPECT_EQ(CountsById(peer).size(), 5u);
  ASSERT_EQ(Retries().size(), 1u);
  EXPECT_EQ(Retries()[0].attempts, 1u);
  worker_->Submit({.kind = DeadLetterAction::Kind::kSkip, .sequences = {}});
  EXPECT_TRUE(Eventually([&] { return DeadLetters().size() == 1 && Retries().empty(); }));
}

}  // namespace
}  // namespace weir::deliver
