// What was settled is missed like an event, where the files that held it are gone.
#include "storage/audit.h"
#include "tests/unit/storage/store_fixture.h"

namespace weir::storage {
namespace {

class LostSettlements : public StoreTest {
 protected:
  void Settle(Sequence offset) {
    SettlementBatch batch;
    batch.sink = "billing";
    batch.position = SinkPosition{.offset = offset, .above = {}};
    ASSERT_TRUE(store->Settle(batch));
  }
  // The events are in tables, and what was settled is in the log.
  void CloseWithSettlementsInTheLog() {
    Open();
    Fill(20);
    Settle(5);
    Reopen();  // recovery writes the log into tables
    Settle(15);
    store.reset();
  }
  // The oldest log holds the settlement, and events that tables hold as well.
  void CrashWithSettlementsInTheOldestLog() {
    Open();
    Fill(20);
    Settle(5);
    Reopen();
    Settle(15);
    Fill(1500, "more_", 1000);
    ASSERT_GE(DatabaseFiles(".log").size(), 2u);
    Settle(500);
    // As after a crash, but for a table in the middle of being written, which would bring more to be mended.
    store.reset();
    LeaveUnclosed(HighWaterNow().tables);
  }
  Sequence Position() { return store->LoadPosition("billing").value().offset; }
};

TEST_F(LostSettlements, InALogThatIsGoneFromAClosedStoreAreMissed) {
  CloseWithSettlementsInTheLog();
  std::filesystem::remove(DatabaseFiles(".log").back());
  const StoreError refused = Refusal();
  EXPECT_EQ(refused.code, StoreErrorCode::kDataLoss);
  EXPECT_NE(refused.message.find("rows that were written"), std::string::npos) << refused.message;
}

TEST_F(LostSettlements, CanBeAcceptedAndAreSaid) {
  CloseWithSettlementsInTheLog();
  std::filesystem::remove(DatabaseFiles(".log").back());
  options.accept_data_loss = true;
  Open();
  ASSERT_FALSE(store->notes().empty());
  EXPECT_NE(store->notes()[0].find("rows that were written"), std::string::npos) << store->notes()[0];
  EXPECT_EQ(Position(), 5u);
  EXPECT_TRUE(std::filesystem::exists(options.directory / "store.lost.1"));
  options.accept_data_loss = false;
  Reopen();
  EXPECT_TRUE(store->notes().empty());
  EXPECT_EQ(CommitOne({.id = "new"}).sequence, 21u);
}

TEST_F(LostSettlements, AreNotMissedAfterACrash) {
  Open();
  Fill(20);
  Settle(15);
  Crash();
  Open();
  EXPECT_EQ(Position(), 15u);
}

TEST_F(LostSettlements, InAnOlderLogThatIsGoneAreMissed) {
  CrashWithSettlementsInTheOldestLog();
  std::filesystem::remove(DatabaseFiles(".log").front());
  const StoreError refused = Refusal();
  EXPECT_NE(refused.message.find("write-ahead log"), std::string::npos) << refused.message;
}

TEST_F(LostSettlements, InAnOlderLogThatIsCutAreMissed) {
  CrashWithSettlementsInTheOldestLog();
  std::filesystem::resize_file(DatabaseFiles(".log").front(), 0);
  const StoreError refused = Refusal();
  EXPECT_NE(refused.message.find("write-ahead log"), std::string::npos) << refused.message;
}

TEST_F(LostSettlements, AreFoundByTheAuditAtRest) {
  CloseWithSettlementsInTheLog();
  std::filesystem::remove(DatabaseFiles(".log").back());
  AuditRequest request;
  request.directory = options.directory;
  const auto report = Audit(request);
  ASSERT_TRUE(report) << report.error().message;
  ASSERT_EQ(report->findings.size(), 1u);
  EXPECT_NE(report->findings[0].detail.find("rows are missing"), std::string::npos);
}

TEST_F(LostSettlements, OfAListOfTablesThatIsCutAreFoundByTheAuditAtRest) {
  CloseWithSettlementsInTheLog();
  const auto manifest = DatabaseFiles("MANIFEST").back();
  std::filesystem::resize_file(manifest, std::filesystem::file_size(manifest) - 1);
  AuditRequest request;
  request.directory = options.directory;
  const auto report = Audit(request);
  if (!report) return;  // the database does not open at all
  EXPECT_FALSE(report->sound());
}

// What let the later position pass may have been in the log that is gone.
TEST_F(LostSettlements, InAnOlderLogCanBeAcceptedAndTakeLaterPositionsWithThem) {
  CrashWithSettlementsInTheOldestLog();
  std::filesystem::remove(DatabaseFiles(".log").front());
  options.accept_data_loss = true;
  Open();
  EXPECT_FALSE(store->notes().empty());
  EXPECT_EQ(Position(), 5u);
  options.accept_data_loss = false;
  Reopen();
  EXPECT_TRUE(store->notes().empty());
}

}  // namespace
}  // namespace weir::storage
