// A write-ahead log that is read past its damage: what was lost lets no sink pass what was in it.
#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "tests/unit/storage/store_fixture.h"

namespace weir::storage {
namespace {

class LogGap : public StoreTest {
 protected:
  void Move(std::string_view sink, SinkPosition to, Sequence retried = kNoSequence,
            const std::string& outcome = "503") {
    SettlementBatch batch;
    batch.sink = sink;
    batch.position = std::move(to);
    if (retried != kNoSequence)
      batch.retries_added = {{.sequence = retried, .due_us = 1, .attempts = 1, .last_outcome = outcome}};
    ASSERT_TRUE(store->Settle(batch));
  }
  // RocksDB gives up the whole block of its log, 32 KiB, that damage is in.
  void EndBlock(const std::string& prefix) { Fill(40, prefix, 1000); }
  // Opens it without the batch that holds `text`.
  void OpenWithout(const std::string& text) {
    Crash();
    const std::filesystem::path log = DatabaseFiles(".log").back();
    FlipByte(log, Read(log).find(text));
    options.accept_data_loss = true;
    Open();
  }
  SinkPosition PositionOf(std::string_view sink) {
    const auto position = store->LoadPosition(sink);
    EXPECT_TRUE(position) << sink << ": " << position.error().message;
    return position.value_or(SinkPosition{});
  }
};

TEST_F(LogGap, LetsNoSinkPassTheRetriesThatWereInIt) {
  Open();
  Fill(200, "evt_");
  Move("billing", {.offset = 100, .above = {103}});
  EndBlock("before_");
  Move("billing", {.offset = 150, .above = {}}, 120, "the batch that is lost");
  EndBlock("behind_");
  Move("billing", {.offset = 180, .above = {}}, 170);
  OpenWithout("the batch that is lost");
  EXPECT_EQ(PositionOf("billing").offset, 100u);
  EXPECT_EQ(PositionOf("billing").above, std::vector<Sequence>{103});
  const auto retries = store->LoadRetries("billing");
  ASSERT_TRUE(retries);
  ASSERT_EQ(retries->size(), 1u) << "what is behind the gap is kept";
  EXPECT_EQ(retries->front().sequence, 170u);
}

TEST_F(LogGap, LeavesASinkThatIsNewBehindItWhereItBegan) {
  Open();
  Fill(200, "evt_");
  Move("billing", {.offset = 150, .above = {}}, 120, "the batch that is lost");
  EndBlock("behind_");
  const SinkBeginning beginning{.sink = "archive", .offset = 190};
  ASSERT_TRUE(store->BeginSinks({&beginning, 1}));
  Move("archive", {.offset = 195, .above = {}});
  OpenWithout("the batch that is lost");
  EXPECT_EQ(PositionOf("archive").offset, 190u);
}

TEST_F(LogGap, OfNothingButEventsLeavesSinksBehindThem) {
  Open();
  Fill(100, "evt_");
  Move("billing", {.offset = 50, .above = {}});
  EndBlock("before_");
  CommitOne({.id = "the event that is lost"});
  EndBlock("behind_");
  Move("billing", {.offset = 100, .above = {}});
  OpenWithout("the event that is lost");
  EXPECT_EQ(PositionOf("billing").offset, 50u);
}

}  // namespace
}  // namespace weir::storage
