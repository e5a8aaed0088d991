// What `weir verify` finds, one kind of damage at a time.
#include "storage/audit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "storage/delivery_values.h"
#include "storage/keys.h"
#include "storage/rocks.h"
#include "tests/unit/storage/store_fixture.h"

namespace weir::storage {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class Audits : public StoreTest {
 protected:
  AuditReport Verify(std::string_view ledger = "") {
    store.reset();
    AuditRequest request;
    request.directory = options.directory;
    if (!ledger.empty()) {
      request.ledger = options.directory / "ledger";
      Write(*request.ledger, ledger);
    }
    auto report = Audit(request);
    if (!report) throw std::runtime_error(report.error().message);
    return *std::move(report);
  }
  static std::vector<std::string> Names(const AuditReport& report) {
    std::vector<std::string> names;
    names.reserve(report.findings.size());
    for (const Finding& finding : report.findings) names.emplace_back(FindingName(finding.kind));
    return names;
  }
};

TEST_F(Audits, ASoundStoreIsSoundAndCounted) {
  Open();
  Fill(250);
  CommitOne({.id = "bad", .malformed = "no id"});
  CommitOne({.id = "evt_1", .body = "other"});
  SettlementBatch batch;
  batch.sink = "billing";
  batch.position = SinkPosition{.offset = 7, .above = {9}};
  batch.retries_added = {{.sequence = 8, .due_us = 1, .attempts = 1, .last_outcome = "503"}};
  ASSERT_TRUE(store->Settle(batch));
  const AuditReport report = Verify();
  EXPECT_TRUE(report.sound()) << report.findings[0].detail;
  EXPECT_EQ(report.first, 1u);
  EXPECT_EQ(report.last, 251u);
  EXPECT_EQ(report.events, 251u);
  EXPECT_EQ(report.malformed, 1u);
  EXPECT_EQ(report.sinks, 1u);
  EXPECT_EQ(report.retries, 1u);
  EXPECT_EQ(report.dead_letters, 1u);
  EXPECT_EQ(report.conflicts, 1u);
}

TEST_F(Audits, AnEmptyStoreIsSound) {
  Open();
  EXPECT_TRUE(Verify().sound());
}

TEST_F(Audits, AStoreWithSealedRunsIsSound) {
  options.dedupe_head_events = 100;
  Open();
  Fill(2000);
  const AuditReport report = Verify();
  EXPECT_THAT(Names(report), IsEmpty());
  EXPECT_GT(report.dedupe_entries, 1500u);
}

TEST_F(Audits, ChangesNothing) {
  Open();
  Fill(50);
  Crash();
  const std::string log = Read(DatabaseFiles(".log").back());
  Verify();
  EXPECT_EQ(Read(DatabaseFiles(".log").back()), log);
}

TEST_F(Audits, FindsAMissingEvent) {
  Open();
  Fill(10);
  Tamper([](Rocks& rocks) {
    rocks.db().Delete({}, rocks.family(Family::kEvents), ToSlice(SequenceKey(5).view()));
  });
  const AuditReport report = Verify();
  ASSERT_THAT(Names(report), ElementsAre("missing_event"));
  EXPECT_EQ(report.findings[0].sequence, 5u);
}

TEST_F(Audits, FindsADamagedRecord) {
  Open();
  Fill(10);
  Tamper([](Rocks& rocks) {
    std::string record = Record(rocks, 5);
    record.back() = '!';
    PutRecord(rocks, 5, record);
  });
  const AuditReport report = Verify();
  ASSERT_THAT(Names(report), ElementsAre("damaged_event"));
  EXPECT_EQ(report.findings[0].sequence, 5u);
}

TEST_F(Audits, FindsARecordInAnothersPlace) {
  Open();
  Fill(10);
  Tamper([](Rocks& rocks) { PutRecord(rocks, 5, Record(rocks, 4)); });
  EXPECT_THAT(Names(Verify()), ElementsAre("damaged_event"));
}

TEST_F(Audits, FindsAnEventThatWasRewrittenWithAValidChecksum) {
  Open();
  Fill(10);
  Tamper([](Rocks& rocks) { Forge(rocks, 5); });
  const AuditReport report = Verify();
  ASSERT_THAT(Names(report), ElementsAre("broken_chain"));
  EXPECT_EQ(report.findings[0].sequence, 6u);
}

TEST_F(Audits, FindsAnEventStoredTwice) {
  Open();
  Fill(10);
  Tamper([](Rocks& rocks) {
    std::string again = Record(rocks, 3);
    Seal(again.data(), again.size(), 11, CheckOf(Record(rocks, 10)), kWeekUs);
    PutRecord(rocks, 11, again);
  });
  const AuditReport report = Verify();
  ASSERT_THAT(Names(report), ElementsAre("repeated_event"));
  EXPECT_EQ(report.findings[0].sequence, 11u);
}

TEST_F(Audits, AllowsAnIdAgainAfterItsWindow) {
  Open();
  CommitOne({.id = "a"});
  CommitOne({.id = "a", .received_at_us = kNowUs + 11 * kSecondUs}, 10 * kSecondUs);
  EXPECT_TRUE(Verify().sound());
}

TEST_F(Audits, AllowsOneIdInTwoSources) {
  Open();
  CommitOne({.id = "bc", .source = "a"});
  CommitOne({.id = "bc", .source = "b"});
  CommitOne({.id = "c", .source = "ab"});  // shares its fingerprint with the first
  EXPECT_TRUE(Verify().sound());
}

TEST_F(Audits, FindsASinkAheadOfTheLog) {
  Open();
  Fill(10);
  SettlementBatch batch;
  batch.sink = "billing";
  batch.position = SinkPosition{.offset = 3, .above = {11}};
  ASSERT_TRUE(store->Settle(batch));
  EXPECT_THAT(Names(Verify()), ElementsAre("position_ahead"));
}

TEST_F(Audits, FindsWhatRefersToNoEvent) {
  Open();
  Fill(10);
  SettlementBatch batch;
  batch.sink = "billing";
  batch.retries_added = {{.sequence = 11, .due_us = 1, .attempts = 1, .last_outcome = ""}};
  batch.dead_added = {{.sink = "billing",
                       .sequence = 12,
                       .died_at_us = 1,
                       .attempts = 1,
                       .reason = "410",
                       .last_answer = ""}};
  ASSERT_TRUE(store->Settle(batch));
  EXPECT_THAT(Names(Verify()), ElementsAre("dangling_entry", "dangling_entry"));
}

TEST_F(Audits, FindsAValueStoredUnderAnothersKey) {
  Open();
  Fill(10);
  Tamper([](Rocks& rocks) {
    const std::string value = EncodePosition(PositionKey("billing"), {.offset = 3, .above = {}});
    rocks.db().Put({}, rocks.family(Family::kDeliveries), PositionKey("shipping"), value);
  });
  EXPECT_THAT(Names(Verify()), ElementsAre("copies_differ", "damaged_value"));
}

TEST_F(Audits, FindsForeignKeys) {
  Open();
  Fill(10);
  Tamper([](Rocks& rocks) {
    rocks.db().Put({}, rocks.family(Family::kDeliveries), "?", "");
    rocks.db().Put({}, rocks.family(Family::kDead), "?", "");
    rocks.db().Put({}, rocks.family(Family::kConflicts), "?", "");
    rocks.db().Put({}, rocks.family(Family::kEvents), "?", "");
  });
  EXPECT_THAT(Names(Verify()), ElementsAre("copies_differ", "copies_differ", "copies_differ", "damaged_event",
                                           "damaged_value", "damaged_value", "damaged_value"));
}

TEST_F(Audits, FindsSealedEventsThatDedupeHasForgotten) {
  options.dedupe_head_events = 100;
  Open();
  Fill(300);
  Tamper([](Rocks& rocks) { rocks.db().Delete({}, rocks.family(Family::kDedupe), RunHeaderKey(1)); });
  const AuditReport report = Verify();
  EXPECT_GE(report.findings_total, 95u);  // the other runs' filters say maybe to one in two hundred
  EXPECT_THAT(Names(report), testing::Each("unindexed_event"));
}

TEST_F(Audits, FindsARunWithMissingEntries) {
  options.dedupe_head_events = 100;
  Open();
  Fill(300);
  Tamper([](Rocks& rocks) { rocks.db().Delete({}, rocks.family(Family::kDedupe), RunBlockKey(1, 0)); });
  EXPECT_THAT(Names(Verify()), ElementsAre("damaged_value"));
}

TEST_F(Audits, FindsAMissingHighWaterRecord) {
  Open();
  Fill(10);
  store.reset();
  std::filesystem::remove(options.directory / "high-water");
  EXPECT_THAT(Names(Verify()), ElementsAre("high_water"));
}

TEST_F(Audits, FindsALogThatEndsBeforeItsPromise) {
  Open();
  Fill(10);
  Tamper([](Rocks& rocks) {
    rocks.db().Delete({}, rocks.family(Family::kEvents), ToSlice(SequenceKey(10).view()));
  });
  EXPECT_THAT(Names(Verify()), ElementsAre("high_water"));
}

TEST_F(Audits, ReportsADamagedTableAndGoesOn) {
  Open();
  Fill(3000, "evt_", 1000);
  Reopen();
  store.reset();
  for (const auto& table : DatabaseFiles(".sst")) {
    if (std::filesystem::file_size(table) > 500'000) FlipByte(table, 200'000);
  }
  const AuditReport report = Verify();
  EXPECT_THAT(Names(report), testing::Each("damaged_event"));  // the one that was hit in each table
  EXPECT_EQ(report.events, 3000u);
}

TEST_F(Audits, FindsEveryAckedIdOfTheLedger) {
  Open();
  Fill(10);
  const AuditReport report = Verify("evt_3\nshop\tevt_4\nevt_3\r\n\nevt_9");
  EXPECT_TRUE(report.sound());
  EXPECT_EQ(report.ledger_ids, 3u);
  EXPECT_EQ(report.ledger_found, 3u);
}

TEST_F(Audits, NamesAckedIdsThatAreNotThere) {
  Open();
  Fill(10);
  const AuditReport report = Verify("evt_3\nevt_10\nbank\tevt_4\nevt_10\n");
  ASSERT_THAT(Names(report), ElementsAre("ledger_missing", "ledger_missing"));
  EXPECT_EQ(report.findings[0].detail, "evt_10");
  EXPECT_EQ(report.findings[1].detail, "bank\tevt_4");
  EXPECT_EQ(report.ledger_found, 1u);
}

TEST_F(Audits, SaysThatThereIsNoLedger) {
  Open();
  store.reset();
  EXPECT_FALSE(
      Audit({.directory = options.directory, .ledger = options.directory / "nowhere", .progress = {}}));
}

TEST_F(Audits, TurnsAwayWhileTheStoreIsOpen) {
  Open();
  const auto report = Audit({.directory = options.directory, .ledger = {}, .progress = {}});
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, StoreErrorCode::kLocked);
}

TEST_F(Audits, SaysThatThereIsNoStore) {
  std::filesystem::remove_all(Database());
  const auto report = Audit({.directory = options.directory, .ledger = {}, .progress = {}});
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, StoreErrorCode::kFormat);
}

TEST_F(Audits, CountsFindingsPastThoseItKeeps) {
  Open();
  Fill(10);
  std::string ledger;
  for (std::size_t i = 0; i < kFindingsMax + 7; ++i) ledger += "missing_" + std::to_string(i) + "\n";
  const AuditReport report = Verify(ledger);
  EXPECT_THAT(report.findings, SizeIs(kFindingsMax));
  EXPECT_EQ(report.findings_total, kFindingsMax + 7);
}

}  // namespace
}  // namespace weir::storage
