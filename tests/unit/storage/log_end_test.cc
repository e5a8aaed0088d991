// A write-ahead log of whose end a power cut kept some blocks and not others.
#include "storage/log_end.h"

#include <gtest/gtest.h>

#include "storage/audit.h"
#include "tests/support/eventually.h"
#include "tests/unit/storage/store_fixture.h"

namespace weir::storage {
namespace {

class LogEnd : public StoreTest {
 protected:
  static constexpr std::size_t kPageBytes = 4096;

  // Ten events that were acknowledged, and a high-water record that says so.
  void Begin() {
    Open();
    Fill(10);
    Reopen();
    promised_ = Read(options.directory / "high-water");
  }
  std::filesystem::path Log() const { return DatabaseFiles(".log").back(); }
  // Does it, and returns where in the log what it wrote begins.
  template <typename Work>
  std::size_t At(const Work& work) {
    const std::size_t at = std::filesystem::file_size(Log());
    work();
    EXPECT_GT(std::filesystem::file_size(Log()), at + 2 * kPageBytes);
    return at;
  }
  std::size_t CommitLarge(std::string id) {
    return At([&] { CommitOne({.id = std::move(id), .body = std::string(40u << 10, 'x')}); });
  }
  // The power goes; the first whole page behind `at` was never written, and the record of high water lags.
  void CutPower(std::size_t at) {
    Crash();
    std::string log = Read(Log());
    log.replace((at / kPageBytes + 1) * kPageBytes, kPageBytes, kPageBytes, '\0');
    Write(Log(), log);
    Write(options.directory / "high-water", promised_);
  }

  std::string promised_;
};

TEST_F(LogEnd, ThatLacksABlockIsDropped) {
  Begin();
  CutPower(CommitLarge("unsynced"));
  EXPECT_TRUE(FindUnsyncedEnd(*disk, Database()));
  Open();
  EXPECT_EQ(Ids().size(), 10u);
  ASSERT_EQ(store->notes().size(), 1u);
  EXPECT_NE(store->notes()[0].find("never synced"), std::string::npos);
  EXPECT_EQ(CommitOne({.id = "unsynced"}).sequence, 11u);
  Reopen();
  EXPECT_TRUE(store->notes().empty()) << "once";
  EXPECT_EQ(Ids().size(), 11u);
}

TEST_F(LogEnd, IsReadAtRestAsItWillBeOpened) {
  Begin();
  CutPower(CommitLarge("unsynced"));
  const auto report = Audit({.directory = options.directory, .ledger = {}, .progress = {}});
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_TRUE(report->sound());
  options.read_only = true;
  Open();
  EXPECT_EQ(Ids().size(), 10u);
}

TEST_F(LogEnd, ThatHighWaterHasPassedIsALoss) {
  Begin();
  const std::size_t at = CommitLarge("acknowledged");
  EXPECT_TRUE(tests::Eventually([&] { return Read(options.directory / "high-water") != promised_; }));
  promised_ = Read(options.directory / "high-water");
  CutPower(at);
  EXPECT_EQ(Refusal().code, StoreErrorCode::kDataLoss);
}

// Each commit is written once the one before is synced.
TEST_F(LogEnd, WithTwoCommitsBehindTheDamageWasSynced) {
  Begin();
  const std::size_t at = CommitLarge("damaged");
  CommitOne({.id = "behind"});
  CommitOne({.id = "behind too"});
  CutPower(at);
  EXPECT_FALSE(FindUnsyncedEnd(*disk, Database()));
  EXPECT_EQ(Refusal().code, StoreErrorCode::kCorruption);
}

TEST_F(LogEnd, WithACommitBehindTheDamagedOneWasSynced) {
  Begin();
  CommitOne({.id = "in front"});
  const std::size_t at = CommitLarge("damaged");
  CommitOne({.id = "behind"});
  CutPower(at);
  EXPECT_FALSE(FindUnsyncedEnd(*disk, Database()));
  EXPECT_EQ(Refusal().code, StoreErrorCode::kCorruption);
}

// Settlements are not synced by themselves: the commit under way may be there without them.
TEST_F(LogEnd, MayBeASettlementInFrontOfTheLastCommit) {
  Begin();
  CommitOne({.id = "in front"});
  const std::size_t at = At([&] {
    ASSERT_TRUE(store->Settle({.sink = "sink",
                               .position = SinkPosition{.offset = 11, .above = {}},
                               .retries_added = {},
                               .retries_removed = {},
                               .dead_added = {{.sink = "sink",
                                               .sequence = 3,
                                               .died_at_us = kNowUs,
                                               .attempts = 1,
                                               .reason = "410",
                                               .last_answer = std::string(40u << 10, 'x')}},
                               .dead_removed = {}}));
  });
  CommitOne({.id = "unsynced"});
  CutPower(at);
  EXPECT_TRUE(FindUnsyncedEnd(*disk, Database()));
  Open();
  EXPECT_EQ(Ids().back(), "in front");
  EXPECT_FALSE(store->LoadPosition("sink")) << "nothing of the settlement is there";
}

TEST_F(LogEnd, OfAWholeLogIsNotUnsynced) {
  Begin();
  CommitLarge("whole");
  Crash();
  EXPECT_FALSE(FindUnsyncedEnd(*disk, Database()));
}

}  // namespace
}  // namespace weir::storage
