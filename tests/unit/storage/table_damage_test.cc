// Tables that are not what the database made: what opening them costs, and what is kept of what was found.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "tests/unit/storage/accept_loss_fixture.h"

namespace weir::storage {
namespace {

using testing::Contains;
using testing::HasSubstr;

class TableDamage : public AcceptedLoss {
 protected:
  void BuildTables() {
    Build();
    Open();
    Reopen();  // what the log held is in tables
    store.reset();
  }
  static void Swap(const std::filesystem::path& a, const std::filesystem::path& b) {
    const std::filesystem::path aside = a.string() + ".aside";
    std::filesystem::rename(a, aside);
    std::filesystem::rename(b, a);
    std::filesystem::rename(aside, b);
  }
  static void CopyOver(const std::filesystem::path& from, const std::filesystem::path& to) {
    std::filesystem::copy_file(from, to, std::filesystem::copy_options::overwrite_existing);
  }
  std::filesystem::path Unknown() const { return Database() / "000900.sst"; }
  bool WhatWasFoundIsKept() const {
    return std::filesystem::exists(options.directory / "store.lost.1" / "CURRENT") ||
           std::filesystem::exists(options.directory / "store.lost.1");
  }
};

TEST_F(TableDamage, OfOneUnderAnothersNumberCostsWhatIsNoLongerThere) {
  BuildTables();
  const auto tables = TablesOf(Family::kEvents);
  CopyOver(tables[0], tables[1]);
  const std::size_t left = GoOn();
  EXPECT_LT(left, kEvents + 20);
  EXPECT_GT(left, kEvents / 2);
  EXPECT_TRUE(WhatWasFoundIsKept());
}

TEST_F(TableDamage, OfTwoThatChangedPlacesCostsNothing) {
  BuildTables();
  const auto tables = TablesOf(Family::kEvents);
  Swap(tables[0], tables[1]);
  if (auto opened = EventStore::Open(options)) {
    store = *std::move(opened);
    EXPECT_EQ(IsSoundAndGoesOn(), kEvents + 20);
  } else {
    EXPECT_EQ(GoOn(), kEvents + 20);
  }
}

TEST_F(TableDamage, OfSettlementsUnderAnothersNumberIsMadeUpForByTheOtherCopy) {
  BuildTables();
  CopyOver(TableOf(Family::kCopies), TableOf(Family::kDeliveries));
  Open();
  EXPECT_EQ(store->LoadPosition("billing")->offset, 100u);
  EXPECT_EQ(store->LoadRetries("billing")->size(), 1u);
  EXPECT_EQ(IsSoundAndGoesOn(), kEvents + 20);
}

TEST_F(TableDamage, ATableThatNobodyKnowsIsNoMatter) {
  BuildTables();
  CopyOver(TableOf(Family::kEvents, 1), Unknown());
  Open();
  EXPECT_EQ(Ids().size(), kEvents + 20);
}

TEST_F(TableDamage, ATableThatNobodyKnowsAndNoListOfTablesCostNothing) {
  BuildTables();
  CopyOver(TableOf(Family::kEvents, 1), Unknown());
  std::filesystem::remove(Database() / "CURRENT");
  EXPECT_EQ(GoOn(), kEvents + 20);
  EXPECT_TRUE(WhatWasFoundIsKept());
}

TEST_F(TableDamage, OfBothCopiesOfSettlementsIsRefusedAndRecordedWhenItIsAccepted) {
  BuildTables();
  for (const Family family : {Family::kDeliveries, Family::kCopies}) {
    for (const auto& table : TablesOf(family)) FlipByte(table, 20);
  }
  EXPECT_THAT(Refusal().message, HasSubstr("retries"));
  EXPECT_EQ(GoOn(), kEvents + 20);
  EXPECT_TRUE(WhatWasFoundIsKept());
  const auto report = Audit({.directory = options.directory, .ledger = {}, .progress = {}});
  ASSERT_TRUE(report);
  EXPECT_EQ(report->accepted_losses, 1u);
  EXPECT_EQ(report->holes, 0u) << "of the log nothing is lost";
}

TEST_F(TableDamage, WithoutALostEventIsRecordedAndWhatWasFoundIsKept) {
  BuildTables();
  std::filesystem::remove(Manifest());
  EXPECT_EQ(GoOn(), kEvents + 20);
  EXPECT_TRUE(WhatWasFoundIsKept());
  const auto report = Audit({.directory = options.directory, .ledger = {}, .progress = {}});
  ASSERT_TRUE(report);
  EXPECT_EQ(report->accepted_losses, 1u);
}

TEST_F(TableDamage, OfARepairDoesNotComeBackAtTheNextStart) {
  BuildTables();
  std::filesystem::remove(Database() / "CURRENT");
  options.accept_data_loss = true;
  Open();
  options.accept_data_loss = false;
  for (int start = 0; start < 2; ++start) {
    Reopen();
    EXPECT_TRUE(store->notes().empty()) << store->notes().front();
  }
}

// The newest table is on the way of every read, also of what no table has yet.
TEST_F(TableDamage, OfTheEndOfTheNewestCostsNothing) {
  BuildTables();
  const auto newest = TablesOf(Family::kEvents).back();
  const std::size_t bytes = std::filesystem::file_size(newest);
  const std::size_t behind_events = Read(newest).rfind(std::string(100, 'x')) + 100;
  const std::filesystem::path sound = MakeTempDirectory();
  CopyAll(options.directory, sound);
  for (std::size_t at = behind_events; at < bytes; at += (bytes - behind_events) / 12) {
    SCOPED_TRACE(at);
    std::filesystem::remove_all(options.directory);
    CopyAll(sound, options.directory);
    FlipByte(newest, at);
    Open();
    EXPECT_EQ(Ids().size(), kEvents + 20);
    EXPECT_EQ(CommitOne({.id = "behind it"}).outcome, AppendOutcome::kStored);
    Crash();
    Open();
    EXPECT_EQ(CommitOne({.id = "behind it"}).outcome, AppendOutcome::kDuplicate);
    EXPECT_EQ(CommitOne({.id = "evt_2999", .body = std::string(1000, 'x')}).outcome,
              AppendOutcome::kDuplicate);
    EXPECT_EQ(Ids().size(), kEvents + 21);
    store.reset();
  }
  std::filesystem::remove_all(sound);
}

std::vector<std::string> FindingsOf(const std::filesystem::path& directory) {
  const auto report = Audit({.directory = directory, .ledger = {}, .progress = {}});
  if (!report) return {report.error().message};
  std::vector<std::string> found;
  for (const Finding& finding : report->findings) found.emplace_back(FindingName(finding.kind));
  return found;
}

TEST_F(TableDamage, IsFoundByVerifyWhateverTableItIsIn) {
  BuildTables();
  const std::filesystem::path sound = MakeTempDirectory();
  CopyAll(options.directory, sound);
  for (const Family family : {Family::kEvents, Family::kDeliveries, Family::kCopies, Family::kMeta}) {
    SCOPED_TRACE(kFamilyNames[static_cast<std::size_t>(family)]);
    std::filesystem::remove_all(options.directory);
    CopyAll(sound, options.directory);
    FlipEnd(TableOf(family));
    EXPECT_THAT(FindingsOf(options.directory), Contains(HasSubstr("damaged")));
  }
  std::filesystem::remove_all(sound);
}

TEST_F(TableDamage, OfTheEndOfATableIsOneFindingAndNotAShorterLog) {
  BuildTables();
  FlipByte(TableOf(Family::kEvents, 1), std::filesystem::file_size(TableOf(Family::kEvents, 1)) - 300);
  EXPECT_THAT(FindingsOf(options.directory), testing::ElementsAre("damaged_table"));
}

TEST_F(TableDamage, OfSecondCopiesIsFoundByVerify) {
  BuildTables();
  for (const auto& table : TablesOf(Family::kCopies)) {
    FlipByte(table, 20);
    EXPECT_THAT(FindingsOf(options.directory), Contains("copies_differ"));
    FlipByte(table, 20);
  }
  EXPECT_THAT(FindingsOf(options.directory), testing::IsEmpty());
}

TEST_F(TableDamage, ThatKeepsVerifyFromReadingIsToldWithTheWayOut) {
  BuildTables();
  std::filesystem::remove(TableOf(Family::kEvents, 1));
  EXPECT_THAT(FindingsOf(options.directory), Contains(HasSubstr("--accept-data-loss")));
  std::filesystem::remove(Database() / "CURRENT");
  EXPECT_THAT(FindingsOf(options.directory), Contains(HasSubstr("--accept-data-loss")));
}

TEST_F(TableDamage, ThatIsMendedByAStartIsToldSo) {
  BuildTables();
  std::filesystem::remove(TableOf(Family::kDeliveries));
  EXPECT_THAT(FindingsOf(options.directory), Contains(HasSubstr("weir serve` mends it")));
}

// Logs.

TEST_F(TableDamage, OfALogThatIsThereTwiceIsRefusedAndPutInOrder) {
  Build();
  const auto log = WriteAheadLog();
  std::filesystem::copy(log, Database() / "000001.log");
  EXPECT_THAT(FindingsOf(options.directory), Contains(HasSubstr("--accept-data-loss")));
  EXPECT_EQ(GoOn(), kEvents + 20);
  EXPECT_TRUE(WhatWasFoundIsKept());
}

}  // namespace
}  // namespace weir::storage
