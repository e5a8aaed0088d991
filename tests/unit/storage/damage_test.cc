// Bytes that changed on the disk under a store: what they cost, while it is open and after it was opened again.
#include <gtest/gtest.h>
#include <rocksdb/iterator.h>
#include <sys/stat.h>

#include <cstdint>
#include <random>

#include "storage/found_copy.h"
#include "tests/support/eventually.h"
#include "tests/unit/storage/store_fixture.h"

namespace weir::storage {
namespace {

class Damage : public StoreTest {
 protected:
  static constexpr std::size_t kEvents = 300;

  // kEvents events in tables, none in a dedupe run; event i + 1 has the id evt_i.
  void FillTables() {
    Open();
    for (std::size_t i = 0; i < kEvents; ++i) CommitOne({.id = Id(i), .body = Body(i)});
    Reopen();
    store.reset();
  }
  static std::string Id(std::size_t i) { return "evt_" + std::to_string(i) + "_"; }
  static std::string Body(std::size_t i) { return "body of " + Id(i) + std::string(500, 'x'); }
  // Flips a bit of the first table that holds `text`, `offset` bytes behind its beginning.
  void FlipIn(std::string_view text, std::size_t offset = 0) {
    for (const auto& file : DatabaseFiles(".sst")) {
      const std::size_t at = Read(file).find(text);
      if (at != std::string::npos) return FlipByte(file, at + offset);
    }
    FAIL() << "no table holds " << text;
  }
  // Of events that the reader cannot give, with every other one compared.
  std::vector<std::size_t> UnreadableInLog() {
    std::vector<std::size_t> unreadable;
    for (std::size_t i = 0; i < kEvents;) {
      LogReader reader = store->ReadFrom(i + 1);
      for (; i < kEvents; ++i) {
        const auto event = reader.Next();
        if (!event) {
          EXPECT_EQ(event.error().sequence, i + 1);
          unreadable.push_back(i++);
          break;
        }
        EXPECT_EQ((*event)->id, Id(i));
        EXPECT_EQ((*event)->body, Body(i));
      }
    }
    return unreadable;
  }
  AppendOutcome Again(std::size_t i) { return CommitOne({.id = Id(i), .body = Body(i)}).outcome; }
};

TEST_F(Damage, OfABodyCostsThatEventAlone) {
  FillTables();
  FlipIn(Body(100), 20);
  Open();
  EXPECT_EQ(UnreadableInLog(), std::vector<std::size_t>{100});
  EXPECT_FALSE(store->ReadRecord(101));
  EXPECT_TRUE(store->ReadRecord(100));
  EXPECT_TRUE(store->ReadRecord(102));
}

TEST_F(Damage, OfABodyMakesItsDuplicateUnreadableAndNoOther) {
  FillTables();
  FlipIn(Body(100), 20);
  Open();
  for (const std::size_t i : {std::size_t{99}, std::size_t{101}, std::size_t{0}})
    EXPECT_EQ(Again(i), AppendOutcome::kDuplicate) << i;
  const AppendResult again = CommitOne({.id = Id(100), .body = Body(100)});
  EXPECT_EQ(again.outcome, AppendOutcome::kUnreadable);
  EXPECT_EQ(again.sequence, 101u);
  EXPECT_EQ(CommitOne({.id = "new"}).outcome, AppendOutcome::kStored);
}

TEST_F(Damage, OfOneRecordOfAGroupLeavesTheOthersTheirPlaces) {
  FillTables();
  FlipIn(Body(100), 20);
  Open();
  const auto results = Commit({{.id = "a"}, {.id = Id(100), .body = Body(100)}, {.id = "b"}});
  EXPECT_EQ(results[0].outcome, AppendOutcome::kStored);
  EXPECT_EQ(results[1].outcome, AppendOutcome::kUnreadable);
  EXPECT_EQ(results[2].outcome, AppendOutcome::kStored);
  EXPECT_EQ(results[2].sequence, results[0].sequence + 1);
}

TEST_F(Damage, IsSaidAndTheStoreOpensAgainAndAgain) {
  FillTables();
  FlipIn(Body(100), 20);
  std::vector<std::string> told;
  options.on_trouble = [&told](const StoreTrouble& trouble) { told.push_back(trouble.message); };
  for (int open = 0; open < 3; ++open) {
    Open();
    EXPECT_EQ(store->Statistics().troubles.size(), 1u);
    CommitOne({.id = "after open " + std::to_string(open)});
    store.reset();
  }
  ASSERT_FALSE(told.empty());
  EXPECT_NE(told[0].find("event 101"), std::string::npos) << told[0];
}

TEST_F(Damage, OfAnotherEventsBodyWithARecordInItGivesNothingToTheSenderOfIt) {
  Open();
  // What a sender could compose: a valid record of event 2, inside the body of event 1.
  Event forged;
  forged.received_at_us = kNowUs;
  forged.source = "shop";
  forged.id = "forged";
  forged.body = "forged";
  std::string bytes(EncodedSize(forged), '\0');
  Encode(forged, bytes.data());
  Seal(bytes.data(), bytes.size(), 2, 0, kWeekUs);
  CommitOne({.id = "carrier", .body = "marker" + bytes});
  for (std::size_t i = 0; i < 10; ++i) CommitOne({.id = Id(i), .body = Body(i)});
  Reopen();
  store.reset();
  // The carrier's header, so that its body is looked into, and the second event itself.
  FlipIn("shopcarrier", std::size_t(0) - 60);
  FlipIn(Body(0), 20);
  Open();
  EXPECT_FALSE(store->ReadRecord(2));
}

TEST_F(Damage, OfAnyBitOfATableCostsAtMostOneEvent) {
  FillTables();
  const std::filesystem::path sound = options.directory.string() + ".sound";
  CopyAll(options.directory, sound);
  std::mt19937_64 random(20261126);
  const std::vector<std::filesystem::path> tables = DatabaseFiles(".sst");
  for (int flip = 0; flip < 60; ++flip) {
    std::filesystem::remove_all(options.directory);
    CopyAll(sound, options.directory);
    const std::filesystem::path& table = tables[static_cast<std::size_t>(flip) % tables.size()];
    const std::size_t at = random() % std::filesystem::file_size(table);
    SCOPED_TRACE(table.filename().string() + " at " + std::to_string(at));
    FlipByte(table, at);
    Open();
    EXPECT_LE(UnreadableInLog().size(), 1u);
    EXPECT_EQ(CommitOne({.id = "new"}).outcome, AppendOutcome::kStored);
    store.reset();
  }
  std::filesystem::remove_all(sound);
}

// A sink's position, a retry and a dead letter, in a table each with what the store is.
class KeptTwice : public StoreTest, public testing::WithParamInterface<Family> {
 protected:
  KeptTwice() {
    Open();
    Fill(20);
    SettlementBatch batch;
    batch.sink = "billing";
    batch.position = SinkPosition{.offset = 10, .above = {12}};
    batch.retries_added = {{.sequence = 11, .due_us = 1, .attempts = 3, .last_outcome = "503"}};
    batch.dead_added = {{.sink = "billing",
                         .sequence = 9,
                         .died_at_us = 1,
                         .attempts = 5,
                         .reason = "410",
                         .last_answer = ""}};
    EXPECT_TRUE(store->Settle(batch));
    EXPECT_EQ(CommitOne({.id = "evt_3", .body = "other"}).outcome, AppendOutcome::kConflict);
    Reopen();  // into tables
  }
  std::vector<std::filesystem::path> TablesOf(Family family) {
    store.reset();
    std::vector<std::filesystem::path> tables;
    Tamper([&](Rocks& rocks) {
      std::vector<rocksdb::LiveFileMetaData> files;
      rocks.db().GetLiveFilesMetaData(&files);
      for (const auto& file : files) {
        if (file.column_family_name == kFamilyNames[static_cast<std::size_t>(family)])
          tables.push_back(Database() / file.name.substr(1));
      }
    });
    EXPECT_FALSE(tables.empty());
    return tables;
  }
  void EverythingIsThere() {
    EXPECT_EQ(Ids().size(), 20u);
    const auto position = store->LoadPosition("billing");
    ASSERT_TRUE(position) << position.error().message;
    EXPECT_EQ(position->offset, 10u);
    EXPECT_EQ(position->above, std::vector<Sequence>{12});
    const auto retries = store->LoadRetries("billing");
    ASSERT_TRUE(retries) << retries.error().message;
    ASSERT_EQ(retries->size(), 1u);
    EXPECT_EQ(retries->front().sequence, 11u);
    std::vector<Sequence> dead;
    EXPECT_TRUE(store->VisitDeadLetters("", [&](const DeadLetter& letter) {
      dead.push_back(letter.sequence);
      return true;
    }));
    EXPECT_EQ(dead, std::vector<Sequence>{9});
    EXPECT_EQ(store->Statistics().conflicts, 1u);
  }
};

TEST_P(KeptTwice, AFamilyWhoseTablesAreDamagedAnywhereLosesNothing) {
  const auto tables = TablesOf(GetParam());
  const std::filesystem::path sound = options.directory.string() + ".sound";
  CopyAll(options.directory, sound);
  for (const auto& table : tables) {
    const std::size_t bytes = std::filesystem::file_size(sound / "store" / table.filename());
    for (std::size_t at = 3; at < bytes; at += bytes / 12 + 1) {
      SCOPED_TRACE(table.filename().string() + " at " + std::to_string(at));
      std::filesystem::remove_all(options.directory);
      CopyAll(sound, options.directory);
      FlipByte(table, at);
      Open();
      EverythingIsThere();
      Reopen();
      EXPECT_TRUE(store->notes().empty()) << store->notes().front();
      EverythingIsThere();
      store.reset();
    }
  }
  std::filesystem::remove_all(sound);
}

TEST_P(KeptTwice, AFamilyWhoseTablesAreGoneLosesNothing) {
  for (const auto& table : TablesOf(GetParam())) std::filesystem::remove(table);
  Open();
  EXPECT_FALSE(store->notes().empty());
  EverythingIsThere();
}

TEST_P(KeptTwice, AFamilyThatIsDamagedWhileTheStoreIsOpenIsReadFromItsOtherCopy) {
  const auto tables = TablesOf(GetParam());
  Open();
  for (const auto& table : tables) FlipByte(table, 10);
  EverythingIsThere();
}

INSTANTIATE_TEST_SUITE_P(EachFamily, KeptTwice,
                         testing::Values(Family::kMeta, Family::kDeliveries, Family::kDead,
                                         Family::kConflicts, Family::kCopies),
                         [](const auto& family) {
                           return kFamilyNames[static_cast<std::size_t>(family.param)];
                         });

class DamagedIndex : public StoreTest {
 protected:
  DamagedIndex() { options.dedupe_head_events = 100; }
  void FillRuns() {
    Open();
    Fill(750);
    Reopen();
    store.reset();
  }
  // In the database's own terms nothing is wrong.
  void Spoil(const std::function<bool(std::string_view key)>& which) {
    Tamper([&](Rocks& rocks) {
      const std::unique_ptr<rocksdb::Iterator> rows(
          rocks.db().NewIterator(rocksdb::ReadOptions(), rocks.family(Family::kDedupe)));
      for (rows->SeekToFirst(); rows->Valid(); rows->Next()) {
        if (!which(ToView(rows->key()))) continue;
        std::string value = rows->value().ToString();
        value[value.size() / 2] = static_cast<char>(value[value.size() / 2] ^ 1);
        rocks.db().Put({}, rocks.family(Family::kDedupe), rows->key(), value);
      }
    });
  }
  std::size_t CountAgain(AppendOutcome outcome) {
    std::size_t count = 0;
    for (std::size_t i = 0; i < 750; ++i) {
      const auto again = CommitOne({.id = "evt_" + std::to_string(i), .body = std::string(100, 'x')});
      EXPECT_NE(again.outcome, AppendOutcome::kStored) << i;
      if (again.outcome == outcome) ++count;
    }
    return count;
  }
};

TEST_F(DamagedIndex, WithoutAReadableHeaderIsMadeAnewAtOpen) {
  FillRuns();
  Spoil([](std::string_view key) { return key.size() == 8; });
  Open();
  EXPECT_EQ(CountAgain(AppendOutcome::kDuplicate), 750u);
  EXPECT_EQ(store->last_sequence(), 750u);
  EXPECT_GE(store->Statistics().dedupe_entries_sealed, 700u);
}

TEST_F(DamagedIndex, WithoutAReadableStateIsMadeAnewAtOpen) {
  FillRuns();
  Tamper([](Rocks& rocks) { rocks.db().Put({}, rocks.family(Family::kMeta), "dedupe", "nonsense"); });
  Open();
  EXPECT_EQ(CountAgain(AppendOutcome::kDuplicate), 750u);
}

TEST_F(DamagedIndex, WithADamagedBlockNeverTakesAKnownIdForNewAndMendsItself) {
  FillRuns();
  Spoil([](std::string_view key) { return key.size() == 13 && key[8] == 'b'; });
  Open();
  CountAgain(AppendOutcome::kUnreadable);
  ASSERT_TRUE(tests::Eventually([this] { return CountAgain(AppendOutcome::kDuplicate) == 750; }));
  EXPECT_EQ(store->last_sequence(), 750u);
  EXPECT_TRUE(store->Statistics().troubles.empty());
  EXPECT_GT(store->Statistics().trouble_counts[static_cast<std::size_t>(StoreTrouble::Part::kDedupe)], 0u);
  Reopen();
  EXPECT_EQ(CountAgain(AppendOutcome::kDuplicate), 750u);
}

TEST_F(DamagedIndex, IsMadeAnewWhenAskedTo) {
  FillRuns();
  options.rebuild_dedupe = true;
  Open();
  EXPECT_EQ(CountAgain(AppendOutcome::kDuplicate), 750u);
}

TEST_F(StoreTest, RefusesACopiedLogOfTheDatabaseWithASentence) {
  Open();
  Fill(50);
  Crash();
  const auto logs = DatabaseFiles(".log");
  ASSERT_FALSE(logs.empty());
  std::filesystem::copy(logs.back(), Database() / "000900.log");
  const StoreError refused = Refusal();
  EXPECT_EQ(refused.code, StoreErrorCode::kDataLoss);
  EXPECT_NE(refused.message.find("000900.log"), std::string::npos) << refused.message;
  std::filesystem::remove(Database() / "000900.log");
  Open();
  EXPECT_EQ(store->last_sequence(), 50u);
}

TEST_F(StoreTest, SetsACopyOfAnOlderStateAside) {
  Open();
  Fill(50);
  store.reset();
  // What an open that ended without a verdict leaves, and a backup of it brings back later.
  const auto found = FoundCopy::Make(MachineDisk(), Database());
  ASSERT_TRUE(found) << found.error();
  const std::filesystem::path kept = options.directory.string() + ".kept";
  std::filesystem::rename(Database().string() + ".found", kept);
  Open();
  Fill(50, "more_");
  store.reset();
  std::filesystem::rename(kept, Database().string() + ".found");
  Open();
  EXPECT_EQ(store->last_sequence(), 100u);
  EXPECT_TRUE(std::filesystem::exists(Database().string() + ".stale.1"));
}

TEST_F(StoreTest, IsItsOwnersWhateverTheUmask) {
  std::filesystem::remove_all(options.directory);
  const mode_t before = ::umask(0);
  Open();
  Fill(200);
  Reopen();
  const auto expect_closed = [this] {
    constexpr auto kOthers = std::filesystem::perms::group_all | std::filesystem::perms::others_all;
    EXPECT_EQ(std::filesystem::status(options.directory).permissions() & kOthers,
              std::filesystem::perms::none);
    for (const auto& entry : std::filesystem::recursive_directory_iterator(options.directory)) {
      EXPECT_EQ(entry.status().permissions() & kOthers, std::filesystem::perms::none) << entry.path();
    }
  };
  expect_closed();
  store.reset();
  std::filesystem::permissions(options.directory, std::filesystem::perms::all);
  for (const auto& entry : std::filesystem::recursive_directory_iterator(options.directory))
    std::filesystem::permissions(entry.path(), std::filesystem::perms::all);
  Open();
  expect_closed();
  ::umask(before);
}

TEST_F(StoreTest, IsItsOwnersAlsoWhereALinkLeadsToIt) {
  Open();
  store.reset();
  const std::filesystem::path directory = options.directory;
  std::filesystem::permissions(directory, std::filesystem::perms::all);
  options.directory = directory.string() + ".link";
  std::filesystem::create_directory_symlink(directory, options.directory);
  Open();
  EXPECT_EQ(std::filesystem::status(directory).permissions(), std::filesystem::perms::owner_all);
  store.reset();
  std::filesystem::remove(options.directory);
}

}  // namespace
}  // namespace weir::storage
