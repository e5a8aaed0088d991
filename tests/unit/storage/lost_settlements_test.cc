// What was settled is missed like an event, where the files that held it are gone.
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

}  // namespace
}  // namespace weir::storage
