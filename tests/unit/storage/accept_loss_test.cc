// The way out that a refusal names: after it the store is sound, goes on behind what it lost, and refers to nothing
// that is gone.
#include <gtest/gtest.h>

#include "storage/limits.h"
#include "tests/unit/storage/accept_loss_fixture.h"

namespace weir::storage {
namespace {

TEST_F(AcceptedLoss, OfATableOfTheLog) {
  Build();
  std::filesystem::remove(TableOf(Family::kEvents, 2));
  EXPECT_LT(GoOn(), kEvents);
}

TEST_F(AcceptedLoss, OfTheFirstTableOfTheLog) {
  Build();
  std::filesystem::remove(TableOf(Family::kEvents));
  EXPECT_LT(GoOn(), kEvents);
}

TEST_F(AcceptedLoss, OfACutTable) {
  Build();
  Halve(TableOf(Family::kEvents, 2));
  EXPECT_LT(GoOn(), kEvents);
}

TEST_F(AcceptedLoss, IsNotNeededForATableWhoseEndIsDamagedAndWhoseRecordsAreThere) {
  Build();
  FlipEnd(TableOf(Family::kEvents, 2));
  Open();
  EXPECT_EQ(Ids().size(), kEvents + 20);
}

TEST_F(AcceptedLoss, OfAllTablesOfTheLog) {
  Build();
  for (const auto& table : TablesOf(Family::kEvents)) std::filesystem::remove(table);
  EXPECT_LT(GoOn(), kEvents);
}

TEST_F(AcceptedLoss, OfBothCopiesOfWhatIsKeptTwice) {
  Build();
  Open();
  Reopen();  // into tables
  const auto first = TableOf(Family::kDeliveries);
  const auto second = TableOf(Family::kCopies);
  std::filesystem::remove(first);
  std::filesystem::remove(second);
  EXPECT_EQ(GoOn(), kEvents + 20);
}

TEST_F(AcceptedLoss, OfCurrent) {
  Build();
  std::filesystem::remove(Database() / "CURRENT");
  EXPECT_EQ(GoOn(), kEvents + 20) << "every table and the log are there";
}

TEST_F(AcceptedLoss, OfWhatCurrentSays) {
  Build();
  FlipByte(Database() / "CURRENT", 12);
  EXPECT_EQ(GoOn(), kEvents + 20);
}

TEST_F(AcceptedLoss, OfAnEmptiedCurrent) {
  Build();
  Write(Database() / "CURRENT", "");
  EXPECT_EQ(GoOn(), kEvents + 20);
}

TEST_F(AcceptedLoss, OfTheManifest) {
  Build();
  std::filesystem::remove(Manifest());
  EXPECT_EQ(GoOn(), kEvents + 20);
}

TEST_F(AcceptedLoss, OfADamagedManifest) {
  Build();
  FlipMiddle(Manifest());
  EXPECT_EQ(GoOn(), kEvents + 20);
}

TEST_F(AcceptedLoss, OfACutManifestAnywhere) {
  Build();
  const std::filesystem::path saved = MakeTempDirectory();
  CopyAll(options.directory, saved);
  const std::filesystem::path manifest = Manifest();
  const std::size_t whole = std::filesystem::file_size(manifest);
  int refused = 0;
  for (std::size_t cut = 1; cut < whole; cut += whole / 6) {
    SCOPED_TRACE(cut);
    std::filesystem::remove_all(options.directory);
    CopyAll(saved, options.directory);
    std::filesystem::resize_file(manifest, whole - cut);
    if (auto opened = EventStore::Open(options)) {
      store = *std::move(opened);
      EXPECT_EQ(IsSoundAndGoesOn(), kEvents + 20);
      continue;
    }
    ++refused;
    EXPECT_EQ(GoOn(), kEvents + 20);
  }
  EXPECT_GT(refused, 0) << "where the cuts fall depends on what was merged; each is sound or refused";
  std::filesystem::remove_all(saved);
}

TEST_F(AcceptedLoss, OfTheWriteAheadLog) {
  Build();
  std::filesystem::remove(WriteAheadLog());
  EXPECT_EQ(GoOn(), kEvents);
}

TEST_F(AcceptedLoss, OfTheEndOfTheWriteAheadLog) {
  BuildInOneLog();
  const auto log = WriteAheadLog();
  std::filesystem::resize_file(log, std::filesystem::file_size(log) - 5'000);
  EXPECT_GE(GoOn(), kEvents);
}

TEST_F(AcceptedLoss, OfTheMiddleOfTheWriteAheadLog) {
  BuildInOneLog();
  FlipByte(WriteAheadLog(), Read(WriteAheadLog()).find("late_10"));
  EXPECT_GE(GoOn(), kEvents + 10);
}

TEST_F(AcceptedLoss, OfTheHighWaterRecord) {
  Build();
  std::filesystem::remove(options.directory / "high-water");
  EXPECT_EQ(GoOn(), kEvents + 20);
}

TEST_F(AcceptedLoss, OfTheHighWaterRecordGoesOnBehindWhatNobodyCanKnow) {
  Build();
  std::filesystem::remove(options.directory / "high-water");
  options.accept_data_loss = true;
  Open();
  EXPECT_EQ(CommitOne({.id = "new"}).sequence, kEvents + 20 + limits::kUnknownSequencesMax + 1);
}

TEST_F(AcceptedLoss, OfTheWholeDatabase) {
  Build();
  std::filesystem::remove_all(Database());
  EXPECT_EQ(GoOn(), 0u);
}

TEST_F(AcceptedLoss, OfATableAndTheManifestAndTheLog) {
  Build();
  std::filesystem::remove(TableOf(Family::kEvents, 1));
  std::filesystem::remove(Manifest());
  std::filesystem::remove(WriteAheadLog());
  EXPECT_LT(GoOn(), kEvents);
}

TEST_F(AcceptedLoss, AMissingTableOfTheDedupeIndexIsNoLoss) {
  Build();
  Open();
  std::filesystem::remove(TableOf(Family::kDedupe));
  Open();
  EXPECT_EQ(IsSoundAndGoesOn(), kEvents + 20);
}

TEST_F(AcceptedLoss, KeepsWhatCanBeReadOfADamagedTable) {
  Build();
  FlipMiddle(TableOf(Family::kEvents, 2));
  std::filesystem::remove(Database() / "CURRENT");
  const std::size_t left = GoOn();
  EXPECT_GT(left, kEvents - 100) << "a block, not a table";
  EXPECT_LT(left, kEvents + 20);
}

TEST_F(AcceptedLoss, OfEventsThatCannotBeReadWhenTheStoreIsOpened) {
  Build();
  Tamper([](Rocks& rocks) {
    std::string record = Record(rocks, 3010);
    record.back() = static_cast<char>(record.back() ^ 1);
    PutRecord(rocks, 3010, record);
  });
  EXPECT_EQ(GoOn(), kEvents + 19) << "one record";
}

TEST_F(AcceptedLoss, IsNamedInTheRefusalAsWhatItIs) {
  Build();
  const std::filesystem::path table = TableOf(Family::kEvents, 2);
  std::filesystem::remove(table);
  const std::string message = Refusal().message;
  EXPECT_NE(message.find(table.filename().string() + " is missing (events "), std::string::npos) << message;
}

// What refers past the end of a log that lost its end, one thing a test.

class AfterALostEnd : public AcceptedLoss {
 protected:
  void LoseTheEndBut(const std::function<void(SettlementBatch&)>& refer) {
    Open();
    Fill(10);
    SettlementBatch batch;
    batch.sink = "billing";
    refer(batch);
    ASSERT_TRUE(store->Settle(batch));
    store.reset();
    Tamper([](Rocks& rocks) {
      for (Sequence gone = 8; gone <= 10; ++gone)
        rocks.db().Delete({}, rocks.family(Family::kEvents), ToSlice(SequenceKey(gone).view()));
    });
    options.accept_data_loss = true;
    Open();
    options.accept_data_loss = false;
    EXPECT_EQ(Ids().size(), 7u);
  }
};

TEST_F(AfterALostEnd, APositionIsBehindWhatIsGone) {
  LoseTheEndBut([](SettlementBatch& batch) { batch.position = SinkPosition{.offset = 9, .above = {}}; });
  EXPECT_EQ(store->LoadPosition("billing")->offset, 10u);
  EXPECT_TRUE(store->LoadPosition("billing")->above.empty());
}

TEST_F(AfterALostEnd, APositionBeforeItKeepsWhatIsSettledAboveAndIsThere) {
  LoseTheEndBut([](SettlementBatch& batch) { batch.position = SinkPosition{.offset = 3, .above = {5, 9}}; });
  EXPECT_EQ(store->LoadPosition("billing")->offset, 3u);
  EXPECT_EQ(store->LoadPosition("billing")->above, std::vector<Sequence>{5});
}

TEST_F(AfterALostEnd, ASinkFurtherOnIsNotOvertaken) {
  LoseTheEndBut([](SettlementBatch& batch) { batch.position = SinkPosition{.offset = 12, .above = {14}}; });
  EXPECT_EQ(CommitOne({.id = "new"}).sequence, 15u);
  EXPECT_EQ(store->LoadPosition("billing")->offset, 14u);
}

TEST_F(AfterALostEnd, ARetryOfALostEventIsGone) {
  LoseTheEndBut([](SettlementBatch& batch) {
    batch.retries_added = {{.sequence = 3, .due_us = 1, .attempts = 1, .last_outcome = "503"},
                           {.sequence = 9, .due_us = 1, .attempts = 1, .last_outcome = "503"}};
  });
  ASSERT_EQ(store->LoadRetries("billing")->size(), 1u);
  EXPECT_EQ(store->LoadRetries("billing")->front().sequence, 3u);
}

TEST_F(AfterALostEnd, ADeadLetterOfALostEventIsGone) {
  LoseTheEndBut([](SettlementBatch& batch) {
    for (const Sequence sequence : {Sequence{3}, Sequence{9}}) {
      batch.dead_added.push_back({.sink = "billing",
                                  .sequence = sequence,
                                  .died_at_us = 1,
                                  .attempts = 5,
                                  .reason = "410",
                                  .last_answer = ""});
    }
  });
  EXPECT_EQ(store->CountDeadLetters("billing"), 1u);
}

TEST_F(AfterALostEnd, AConflictOfALostEventIsGone) {
  Open();
  Fill(7);
  Commit({{.id = "lost"}});
  CommitOne({.id = "lost", .body = "other"});
  CommitOne({.id = "evt_1", .body = "other"});
  Tamper([](Rocks& rocks) {
    rocks.db().Delete({}, rocks.family(Family::kEvents), ToSlice(SequenceKey(8).view()));
  });
  options.accept_data_loss = true;
  Open();
  EXPECT_EQ(store->Statistics().conflicts, 1u);
}

TEST_F(AfterALostEnd, AnExportCursorGoesOnWithWhatIsNew) {
  LoseTheEndBut([](SettlementBatch&) {});
  CommitOne({.id = "new"});
  LogReader reader = store->ReadFrom(9);
  const auto event = reader.Next();
  ASSERT_TRUE(event && *event);
  EXPECT_EQ((*event)->id, "new");
}

TEST_F(AfterALostEnd, TheLogIsReadAcrossTheHole) {
  LoseTheEndBut([](SettlementBatch&) {});
  CommitOne({.id = "new"});
  EXPECT_EQ(Ids().size(), 8u);
  Reopen();
  EXPECT_EQ(Ids().size(), 8u);
  EXPECT_EQ(store->ReadRecord(9).error().code, StoreErrorCode::kNotFound);
  EXPECT_EQ(store->ReadRecord(9).error().message, "event 9 is lost: the operator accepted its loss");
}

TEST_F(AfterALostEnd, WhatIsInTheHoleIsNotCounted) {
  LoseTheEndBut([](SettlementBatch& batch) { batch.position = SinkPosition{.offset = 12, .above = {}}; });
  CommitOne({.id = "new"});
  EXPECT_EQ(store->CountFrom(1), Ids().size());
  EXPECT_EQ(store->CountFrom(store->last_sequence()), 1u);
  EXPECT_EQ(store->CountFrom(store->last_sequence() + 1), 0u);
}

TEST_F(AfterALostEnd, RetentionCutsAcrossTheHole) {
  LoseTheEndBut([](SettlementBatch&) {});
  CommitOne({.id = "new", .received_at_us = kNowUs + 2 * kWeekUs});
  CommitOne({.id = "newer", .received_at_us = kNowUs + 2 * kWeekUs});
  EXPECT_EQ(store->TrimBefore(11, {}), 11u);
  EXPECT_EQ(Ids(), (std::vector<std::string>{"new", "newer"}));
  Reopen();
  EXPECT_EQ(Ids(), (std::vector<std::string>{"new", "newer"}));
}

}  // namespace
}  // namespace weir::storage
