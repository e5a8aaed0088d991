#include <gtest/gtest.h>

#include <chrono>

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
  EXPECT_EQ(store->TrimBefore(700, {}), 700u);
  EXPECT_EQ(store->Statistics().first_sequence, 700u);
  EXPECT_EQ(Ids().size(), 301u);
  EXPECT_EQ(Ids()[0], "699");
  EXPECT_EQ(store->ReadRecord(699).error().code, StoreErrorCode::kNotFound);
  EXPECT_EQ(store->ReadRecord(699).error().message, "event 699 is forgotten: the oldest that is kept is 700");
  EXPECT_EQ(store->Find("shop", "5").error().code, StoreErrorCode::kNotFound);
}

TEST_F(Retention, GivesDiskSpaceBack) {
  FillSeconds(2000);
  const std::uint64_t before = store->Statistics().disk.store_bytes;
  // Files that compaction is about to move go when it has.
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  do {
    ASSERT_EQ(store->TrimBefore(1900, {}), 1900u);
  } while (store->Statistics().disk.store_bytes >= before / 2 && std::chrono::steady_clock::now() < deadline);
  EXPECT_LT(store->Statistics().disk.store_bytes, before / 2);
}

TEST_F(Retention, OpensAndAuditsAfterACut) {
  FillSeconds(1000);
  ASSERT_TRUE(store->TrimBefore(700, {}));
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
  EXPECT_EQ(store->TrimBefore(999, {}), 930u) << "ten seconds, and a minute for events out of order";
}

TEST_F(Retention, KeepsWhatASinkHasNotSettled) {
  FillSeconds(1000);
  const std::vector<std::string> slow = {"slow"};
  SettlementBatch batch;
  batch.sink = "slow";
  batch.position = SinkPosition{.offset = 99, .above = {}};
  ASSERT_TRUE(store->Settle(batch));
  EXPECT_EQ(store->TrimBefore(700, slow), 100u);
}

TEST_F(Retention, KeepsEverythingForASinkThatHasSettledNothing) {
  FillSeconds(1000);
  const std::vector<std::string> sinks = {"new"};
  EXPECT_EQ(store->TrimBefore(700, sinks), 1u);
}

TEST_F(Retention, KeepsNothingForASinkThatIsGone) {
  FillSeconds(1000);
  SettlementBatch batch;
  batch.sink = "gone";
  batch.position = SinkPosition{.offset = 99, .above = {}};
  batch.retries_added = {{.sequence = 80, .due_us = 1, .attempts = 1, .last_outcome = ""}};
  ASSERT_TRUE(store->Settle(batch));
  EXPECT_EQ(store->TrimBefore(700, {}), 700u);
}

TEST_F(Retention, KeepsWhatARetryOrADeadLetterRefersTo) {
  FillSeconds(1000);
  const std::vector<std::string> sinks = {"b"};
  SettlementBatch batch;
  batch.sink = "b";
  batch.position = SinkPosition{.offset = 1000, .above = {}};
  batch.retries_added = {{.sequence = 80, .due_us = 1, .attempts = 1, .last_outcome = ""}};
  ASSERT_TRUE(store->Settle(batch));
  EXPECT_EQ(store->TrimBefore(700, sinks), 80u);
  batch = {};
  batch.sink = "gone";
  batch.dead_added = {
      {.sink = "gone", .sequence = 90, .died_at_us = 1, .attempts = 1, .reason = "410", .last_answer = ""}};
  ASSERT_TRUE(store->Settle(batch));
  EXPECT_EQ(store->TrimBefore(700, {}), 90u) << "whether or not its sink still runs";
}

TEST_F(Retention, ForgetsTheConflictsOfWhatItForgets) {
  Open();
  CommitOne({.id = "a", .body = "1"}, 0);
  CommitOne({.id = "a", .body = "2"}, 0);
  const std::int64_t later_us = kNowUs + 100 * kSecondUs;
  CommitOne({.id = "b", .body = "1", .received_at_us = later_us}, 0);
  CommitOne({.id = "b", .body = "2", .received_at_us = later_us}, 0);
  ASSERT_EQ(store->Statistics().conflicts, 2u);
  ASSERT_EQ(store->TrimBefore(2, {}), 2u);
  EXPECT_EQ(store->Statistics().conflicts, 1u);
  Reopen();
  EXPECT_EQ(store->Statistics().conflicts, 1u);
  store.reset();
  const auto report = Audit({.directory = options.directory, .ledger = {}, .progress = {}});
  ASSERT_TRUE(report);
  EXPECT_TRUE(report->sound()) << report->findings[0].detail;
}

TEST_F(Retention, FindsTheFirstEventReceivedSince) {
  FillSeconds(100);
  EXPECT_EQ(store->FirstReceivedSince(0), 1u);
  EXPECT_EQ(store->FirstReceivedSince(kNowUs + 40 * kSecondUs), 41u);
  EXPECT_EQ(store->FirstReceivedSince(kNowUs + 40 * kSecondUs + 1), 42u);
  EXPECT_EQ(store->FirstReceivedSince(kNowUs + 1000 * kSecondUs), 101u);
}

TEST_F(Retention, AReaderThatTheCutOvertakesGoesOnBehindIt) {
  FillSeconds(2000);
  LogReader reader = store->ReadFrom(1);
  ASSERT_EQ(reader.Next().value()->sequence, 1u);
  ASSERT_EQ(store->TrimBefore(1900, {}), 1900u);
  Sequence previous = 1;
  std::vector<std::pair<Sequence, Sequence>> gaps;
  while (true) {
    const auto event = reader.Next();
    ASSERT_TRUE(event) << event.error().message;
    if (!*event) break;
    if ((*event)->sequence != previous + 1) gaps.emplace_back(previous, (*event)->sequence);
    previous = (*event)->sequence;
  }
  EXPECT_EQ(previous, 2000u);
  ASSERT_EQ(gaps.size(), 1u);
  EXPECT_EQ(gaps[0].second, 1900u);
}

TEST_F(Retention, AnIdPastItsWindowThatWasForgottenIsNew) {
  FillSeconds(1000);
  ASSERT_TRUE(store->TrimBefore(700, {}));
  const AppendResult result =
      CommitOne({.id = "5", .received_at_us = kNowUs + 1001 * kSecondUs}, 10 * kSecondUs);
  EXPECT_EQ(result.outcome, AppendOutcome::kStored);
  EXPECT_EQ(result.sequence, 1001u);
}

TEST_F(Retention, NeverForgetsTheNewestEvent) {
  Open();
  CommitOne({.id = "a"}, 0);
  CommitOne({.id = "b", .received_at_us = kNowUs + 61 * kSecondUs}, 0);
  EXPECT_EQ(store->TrimBefore(100, {}), 2u);
  Reopen();
  EXPECT_EQ(Ids(), std::vector<std::string>{"b"});
  EXPECT_EQ(CommitOne({.id = "c"}, 0).sequence, 3u);
}

TEST_F(Retention, DoesNotGoBack) {
  FillSeconds(500);
  ASSERT_EQ(store->TrimBefore(300, {}), 300u);
  EXPECT_EQ(store->TrimBefore(100, {}), 300u);
}

TEST_F(Retention, AReaderFromBeforeTheCutStartsAtIt) {
  FillSeconds(500);
  ASSERT_TRUE(store->TrimBefore(300, {}));
  LogReader reader = store->ReadFrom(1);
  EXPECT_EQ(reader.Next().value()->sequence, 300u);
}

}  // namespace
}  // namespace weir::storage
