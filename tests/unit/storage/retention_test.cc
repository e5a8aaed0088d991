#include <gtest/gtest.h>

#include "storage/audit.h"
#include "tests/unit/storage/store_fixture.h"

namespace weir::storage {
namespace {

class Retention : public StoreTest {
 protected:
  Retention() { options.memtable_bytes = 128u << 10; }
  // Events a second apart, in tables.
  void FillSeconds(int count) {
    Open();
    for (int i = 0; i < count; i += 50) {
      std::vector<Arrival> group;
      for (int j = i; j < i + 50; ++j) {
        group.push_back({.id = std::to_string(j),
                         .body = std::string(1000, 'x'),
                         .received_at_us = kNowUs + j * kSecondUs});
      }
      Commit(group, 10 * kSecondUs);
    }
    Reopen();
  }
};

TEST_F(Retention, ForgetsEventsBeforeTheCutAndNoOthers) {
  FillSeconds(1000);
  EXPECT_EQ(store->TrimBefore(700), 700u);
  EXPECT_EQ(store->Statistics().first_sequence, 700u);
  EXPECT_EQ(Ids().size(), 301u);
  EXPECT_EQ(Ids()[0], "699");
  EXPECT_EQ(store->ReadRecord(699).error().code, StoreErrorCode::kNotFound);
  EXPECT_EQ(store->Find("shop", "5").error().code, StoreErrorCode::kNotFound);
}

TEST_F(Retention, GivesDiskSpaceBack) {
  FillSeconds(2000);
  const std::uint64_t before = store->Statistics().bytes;
  ASSERT_TRUE(store->TrimBefore(1900));
  EXPECT_LT(store->Statistics().bytes, before / 2);
}

TEST_F(Retention, OpensAndAuditsAfterACut) {
  FillSeconds(1000);
  ASSERT_TRUE(store->TrimBefore(700));
  Reopen();
  EXPECT_EQ(store->Statistics().first_sequence, 700u);
  EXPECT_EQ(Ids().size(), 301u);
  EXPECT_EQ(CommitOne({.id = "new", .received_at_us = kNowUs + 2000 * kSecondUs}).sequence, 1001u);
  store.reset();
  const auto report = Audit({.directory = options.directory, .ledger = {}, .progress = {}});
  ASSERT_TRUE(report);
  EXPECT_TRUE(report->sound()) << report->findings[0].detail;
  EXPECT_EQ(report->first, 700u);
}

TEST_F(Retention, KeepsWhatADedupeWindowNeeds) {
  FillSeconds(1000);
  EXPECT_EQ(store->TrimBefore(999), 990u);
}

TEST_F(Retention, KeepsWhatASinkHasNotSettled) {
  FillSeconds(1000);
  SettlementBatch batch;
  batch.sink = "slow";
  batch.position = SinkPosition{.offset = 99, .above = {}};
  ASSERT_TRUE(store->Settle(batch));
  EXPECT_EQ(store->TrimBefore(700), 100u);
}

TEST_F(Retention, KeepsWhatARetryOrADeadLetterRefersTo) {
  FillSeconds(1000);
  SettlementBatch batch;
  batch.sink = "b";
  batch.retries_added = {{.sequence = 80, .due_us = 1, .attempts = 1, .last_outcome = ""}};
  batch.dead_added = {
      {.sink = "b", .sequence = 60, .died_at_us = 1, .attempts = 1, .reason = "410", .last_answer = ""}};
  ASSERT_TRUE(store->Settle(batch));
  EXPECT_EQ(store->TrimBefore(700), 60u);
}

TEST_F(Retention, NeverForgetsTheNewestEvent) {
  Open();
  CommitOne({.id = "a"}, 0);
  CommitOne({.id = "b", .received_at_us = kNowUs + kSecondUs}, 0);
  EXPECT_EQ(store->TrimBefore(100), 2u);
  Reopen();
  EXPECT_EQ(Ids(), std::vector<std::string>{"b"});
  EXPECT_EQ(CommitOne({.id = "c"}, 0).sequence, 3u);
}

TEST_F(Retention, DoesNotGoBack) {
  FillSeconds(500);
  ASSERT_EQ(store->TrimBefore(300), 300u);
  EXPECT_EQ(store->TrimBefore(100), 300u);
}

TEST_F(Retention, AReaderFromBeforeTheCutStartsAtIt) {
  FillSeconds(500);
  ASSERT_TRUE(store->TrimBefore(300));
  LogReader reader = store->ReadFrom(1);
  EXPECT_EQ(reader.Next().value()->sequence, 300u);
}

}  // namespace
}  // namespace weir::storage
