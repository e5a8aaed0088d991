// What a store does about damage it finds when it is opened: refuse, or keep all that was promised.
#include <gtest/gtest.h>
#include <rocksdb/convenience.h>

#include <map>

#include "storage/audit.h"
#include "storage/high_water.h"
#include "storage/limits.h"
#include "storage/value_codec.h"
#include "tests/unit/storage/store_fixture.h"

namespace weir::storage {
namespace {

class Recovery : public StoreTest {
 protected:
  // Twenty commits of one event each, then the process dies.
  void CrashAfterTwenty() {
    Open();
    for (int i = 0; i < 20; ++i) CommitOne({.id = "evt_" + std::to_string(i), .body = std::string(200, 'x')});
    Crash();
  }
  // The log's tables hold these; the write-ahead log is empty.
  void CloseWithTables(std::size_t count) {
    Open();
    Fill(count, "evt_", 1000);
    Reopen();  // recovery writes the log into tables
    store.reset();
  }
  std::filesystem::path WriteAheadLog() { return DatabaseFiles(".log").back(); }
  // The last table written is the newest of the log.
  std::filesystem::path NewestTable() { return DatabaseFiles(".sst").back(); }
  // Everything but what RocksDB writes about itself.
  std::map<std::string, std::size_t> Contents() {
    std::map<std::string, std::size_t> contents;
    for (const auto& file : std::filesystem::recursive_directory_iterator(options.directory)) {
      const std::string name = file.path().filename().string();
      if (!file.is_regular_file() || name.starts_with("LOG") || name == "LOCK") continue;
      contents[std::filesystem::relative(file.path(), options.directory).string()] =
          std::hash<std::string>()(Read(file.path()));
    }
    return contents;
  }
};

TEST_F(Recovery, KeepsEveryCommittedEventAfterACrash) {
  CrashAfterTwenty();
  Open();
  EXPECT_EQ(Ids().size(), 20u);
  EXPECT_EQ(CommitOne({.id = "evt_7", .body = std::string(200, 'x')}).outcome, AppendOutcome::kDuplicate);
  EXPECT_EQ(CommitOne({.id = "new"}).sequence, 21u);
}

TEST_F(Recovery, AcceptsATornTailAndKeepsWhatWasPromised) {
  Open();
  CommitOne({.id = "acked"});
  store.reset();
  const std::string promise = Read(options.directory / "high-water");
  Open();
  Commit({{.id = "a", .body = std::string(300, 'a')}, {.id = "b", .body = std::string(300, 'b')}});
  Crash();
  // The power went while the second commit was being written: part of it is there, its promise is not.
  Write(options.directory / "high-water", promise);
  const std::string log = Read(WriteAheadLog());
  std::filesystem::resize_file(WriteAheadLog(), log.rfind(std::string(300, 'b')) + 100);
  Open();
  EXPECT_EQ(Ids(), std::vector<std::string>{"acked"});
}

TEST_F(Recovery, ACommitCutAnywhereIsThereWholeOrNotAtAll) {
  Open();
  CommitOne({.id = "acked"});
  store.reset();
  const std::string promise = Read(options.directory / "high-water");
  Open();
  Commit({{.id = "a"}, {.id = "b"}, {.id = "c"}});
  Crash();
  const std::filesystem::path log = WriteAheadLog();
  const std::string whole = Read(log);
  const std::filesystem::path saved = MakeTempDirectory();
  CopyAll(options.directory, saved);
  int none = 0;
  for (std::size_t size = kWalFramesAt; size < whole.size(); size += 61) {
    std::filesystem::remove_all(options.directory);
    CopyAll(saved, options.directory);
    Write(options.directory / "high-water", promise);
    std::filesystem::resize_file(log, size);
    Open();
    // What was cut may have been the rest of a block.
    const std::vector<std::string> ids = Ids();
    EXPECT_TRUE(ids == std::vector<std::string>{"acked"} || ids.size() == 4) << "cut to " << size;
    none += ids.size() == 1 ? 1 : 0;
    store.reset();
  }
  EXPECT_GT(none, 5);
  std::filesystem::remove_all(saved);
}

TEST_F(Recovery, RefusesAFlippedByteInTheMiddleOfTheWriteAheadLog) {
  CrashAfterTwenty();
  FlipByte(WriteAheadLog(), Read(WriteAheadLog()).find("evt_10"));
  EXPECT_EQ(Refusal().code, StoreErrorCode::kCorruption);
}

TEST_F(Recovery, RefusesADeletedWriteAheadLog) {
  CrashAfterTwenty();
  std::filesystem::remove(WriteAheadLog());
  EXPECT_EQ(Refusal().code, StoreErrorCode::kDataLoss);
}

TEST_F(Recovery, RefusesAnEmptiedWriteAheadLog) {
  CrashAfterTwenty();
  std::filesystem::resize_file(WriteAheadLog(), 0);
  const StoreError error = Refusal();
  EXPECT_EQ(error.code, StoreErrorCode::kCorruption);
  EXPECT_NE(error.message.find("--accept-data-loss"), std::string::npos) << error.message;
}

TEST_F(Recovery, ACutManifestIsRefusedOrHarmless) {
  CloseWithTables(3000);
  const std::filesystem::path saved = MakeTempDirectory();
  CopyAll(options.directory, saved);
  const std::filesystem::path manifest = DatabaseFiles("MANIFEST").back();
  const std::size_t whole = std::filesystem::file_size(manifest);
  int refused = 0;
  for (std::size_t cut = 20; cut < whole; cut += whole / 8) {
    std::filesystem::remove_all(options.directory);
    CopyAll(saved, options.directory);
    std::filesystem::resize_file(manifest, whole - cut);
    auto opened = EventStore::Open(options);
    if (!opened) {
      ++refused;
      continue;
    }
    EXPECT_EQ((*opened)->last_sequence(), 3000u) << "cut by " << cut;
    EXPECT_EQ((*opened)->Statistics().first_sequence, 1u) << "cut by " << cut;
  }
  EXPECT_GT(refused, 3);
  std::filesystem::remove_all(saved);
}

TEST_F(Recovery, RefusesAMissingCurrentFile) {
  CloseWithTables(100);
  std::filesystem::remove(Database() / "CURRENT");
  EXPECT_EQ(Refusal().code, StoreErrorCode::kCorruption);
}

TEST_F(Recovery, RefusesAMissingTable) {
  CloseWithTables(3000);
  std::filesystem::remove(NewestTable());
  EXPECT_NE(Refusal().message, "");
}

TEST_F(Recovery, RefusesAHoleBetweenTables) {
  options.memtable_bytes = 256u << 10;
  CloseWithTables(3000);
  Tamper([](Rocks& rocks) {
    // Out of the MANIFEST as well, as RocksDB would do it itself by mistake.
    const SequenceKey from(500);
    const SequenceKey to(2500);
    const rocksdb::Slice begin = ToSlice(from.view());
    const rocksdb::Slice end = ToSlice(to.view());
    ASSERT_TRUE(rocks.db().CompactRange({}, rocks.family(Family::kEvents), nullptr, nullptr).ok());
    ASSERT_TRUE(rocksdb::DeleteFilesInRange(&rocks.db(), rocks.family(Family::kEvents), &begin, &end).ok());
  });
  const StoreError error = Refusal();
  EXPECT_EQ(error.code, StoreErrorCode::kDataLoss);
  EXPECT_NE(error.message.find("are missing from the log"), std::string::npos) << error.message;
}

TEST_F(Recovery, RefusesALogThatLostItsBeginning) {
  options.memtable_bytes = 256u << 10;
  CloseWithTables(3000);
  Tamper([](Rocks& rocks) {
    const SequenceKey to(1000);
    const rocksdb::Slice end = ToSlice(to.view());
    ASSERT_TRUE(rocks.db().CompactRange({}, rocks.family(Family::kEvents), nullptr, nullptr).ok());
    ASSERT_TRUE(rocksdb::DeleteFilesInRange(&rocks.db(), rocks.family(Family::kEvents), nullptr, &end).ok());
  });
  EXPECT_EQ(Refusal().code, StoreErrorCode::kDataLoss);
}

TEST_F(Recovery, RefusesAForgedEventInTheTail) {
  Open();
  Fill(20);
  Tamper([](Rocks& rocks) { Forge(rocks, 15); });
  EXPECT_EQ(Refusal().code, StoreErrorCode::kCorruption);
}

TEST_F(Recovery, RefusesAStoreOfAnotherFormat) {
  Open();
  Tamper([](Rocks& rocks) {
    ValueWriter writer(1);
    rocks.db().Put({}, rocks.family(Family::kMeta), ToSlice(kFormatKey),
                   std::move(writer).Finish(kFormatKey));
  });
  const StoreError refused = Refusal();
  EXPECT_EQ(refused.code, StoreErrorCode::kFormat);
  EXPECT_NE(refused.message.find("export it with the build that made it"), std::string::npos);
}

TEST_F(Recovery, RefusesAnEmptiedDirectory) {
  CloseWithTables(100);
  std::filesystem::remove_all(Database());
  EXPECT_EQ(Refusal().code, StoreErrorCode::kDataLoss);
}

TEST_F(Recovery, RefusesALogWithoutItsHighWaterRecord) {
  CloseWithTables(100);
  std::filesystem::remove(options.directory / "high-water");
  EXPECT_EQ(Refusal().code, StoreErrorCode::kDataLoss);
}

TEST_F(Recovery, RefusesADamagedHighWaterRecord) {
  CloseWithTables(100);
  FlipByte(options.directory / "high-water", 24);
  FlipByte(options.directory / "high-water", 512 + 24);
  EXPECT_EQ(Refusal().code, StoreErrorCode::kDataLoss);
}

TEST_F(Recovery, RefusesAnOlderCopyOfTheDatabase) {
  CloseWithTables(100);
  const std::filesystem::path older = MakeTempDirectory();
  CopyAll(Database(), older / "store");
  Open();
  CommitOne({.id = "later"});
  store.reset();
  std::filesystem::remove_all(Database());
  CopyAll(older / "store", Database());
  std::filesystem::remove_all(older);
  EXPECT_EQ(Refusal().code, StoreErrorCode::kDataLoss);
}

TEST_F(Recovery, RefusesTheDatabaseOfAnotherStore) {
  Open();
  Fill(10);
  store.reset();
  // As long, but not the one that was acknowledged from.
  const std::filesystem::path ours = options.directory;
  options.directory = MakeTempDirectory();
  Open();
  Fill(10, "theirs_");
  store.reset();
  std::filesystem::remove_all(ours / "store");
  CopyAll(Database(), ours / "store");
  std::filesystem::remove_all(options.directory);
  options.directory = ours;
  EXPECT_EQ(Refusal().code, StoreErrorCode::kDataLoss);
}

TEST_F(Recovery, RefusesASinkThatIsAheadOfTheLog) {
  Open();
  CommitOne({.id = "a"});
  SettlementBatch batch;
  batch.sink = "billing";
  batch.position = SinkPosition{.offset = 5, .above = {}};
  ASSERT_TRUE(store->Settle(batch));
  EXPECT_EQ(Refusal().code, StoreErrorCode::kDataLoss);
}

TEST_F(Recovery, ARefusedOpenLeavesTheDirectoryAsItWas) {
  CrashAfterTwenty();
  // RocksDB opens this, writes a new MANIFEST and drops the log: everything a refusal has to take back.
  FlipByte(options.directory / "high-water", 24);
  FlipByte(options.directory / "high-water", 512 + 24);
  const auto before = Contents();
  Refusal();
  EXPECT_EQ(Contents(), before);
  Refusal();
  EXPECT_EQ(Contents(), before);
}

TEST_F(Recovery, AndTheAuditRefuseACopyOfTheLogWithASentence) {
  CrashAfterTwenty();
  const std::filesystem::path log = WriteAheadLog();
  std::filesystem::copy_file(log, Database() / "000900.log");
  EXPECT_NE(Refusal().message.find("one of them is a copy"), std::string::npos);
  AuditRequest request;
  request.directory = options.directory;
  const auto audited = Audit(request);
  ASSERT_FALSE(audited);
  EXPECT_NE(audited.error().message.find("one of them is a copy"), std::string::npos);
}

TEST_F(Recovery, OpensWithoutTheLostEventsWhenToldTo) {
  CrashAfterTwenty();
  std::filesystem::remove(WriteAheadLog());
  options.accept_data_loss = true;
  Open();
  EXPECT_FALSE(store->notes().empty());
  EXPECT_EQ(CommitOne({.id = "a"}).sequence, 21 + limits::kUnknownSequencesMax);
  // From here on it is sound, and what was there stays beside it.
  options.accept_data_loss = false;
  Reopen();
  EXPECT_TRUE(store->notes().empty());
  EXPECT_EQ(Ids(), std::vector<std::string>{"a"});
  EXPECT_TRUE(std::filesystem::exists(options.directory / "store.lost.1" / "CURRENT"));
}

TEST_F(Recovery, KeepsWhatIsLeftOfADamagedWriteAheadLogWhenToldTo) {
  CrashAfterTwenty();
  FlipByte(WriteAheadLog(), Read(WriteAheadLog()).find("evt_10"));
  options.accept_data_loss = true;
  Open();
  EXPECT_EQ(Ids().size(), 10u);
  EXPECT_FALSE(store->notes().empty());
}

TEST_F(Recovery, ReportsADamagedTableInsteadOfSkippingIt) {
  options.dedupe_head_events = 500;  // so that opening does not read as far back
  CloseWithTables(5000);
  for (const auto& table : DatabaseFiles(".sst")) {
    if (std::filesystem::file_size(table) < 500'000) continue;
    FlipByte(table, 200'000);
    break;
  }
  Open();
  LogReader reader = store->ReadFrom(1);
  std::size_t read = 0;
  StoreResult<std::optional<Event>> event = reader.Next();
  for (; event && *event; event = reader.Next()) ++read;
  ASSERT_FALSE(event) << "the log ended quietly after " << read << " events";
  EXPECT_EQ(event.error().code, StoreErrorCode::kCorruption);
}

TEST_F(Recovery, ASecondProcessIsTurnedAway) {
  Open();
  const auto second = EventStore::Open(options);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, StoreErrorCode::kLocked);
  options.read_only = true;
  const auto reader = EventStore::Open(options);
  ASSERT_FALSE(reader);
  EXPECT_EQ(reader.error().code, StoreErrorCode::kLocked);
}

TEST_F(Recovery, AReaderSeesEverythingAndChangesNothing) {
  CrashAfterTwenty();
  const auto before = Contents();
  options.read_only = true;
  Open();
  EXPECT_EQ(Ids().size(), 20u);
  EXPECT_EQ(store->Find("shop", "evt_19"), 20u);
  store.reset();
  EXPECT_EQ(Contents(), before);
}

TEST_F(Recovery, AReaderIsToldThatThereIsNoStore) {
  options.read_only = true;
  options.directory /= "nowhere";
  EXPECT_EQ(Refusal().code, StoreErrorCode::kFormat);
  options.directory = options.directory.parent_path();
}

TEST_F(Recovery, FinishesAStoreWhoseMakingWasInterrupted) {
  std::filesystem::remove_all(options.directory);
  std::filesystem::create_directories(Database());
  {
    const DiskEnv files(OnWalDisk(options), nullptr, nullptr, Disk::Access::kRead);
    rocksdb::Options bare;
    bare.env = files.env();
    bare.create_if_missing = true;
    rocksdb::DB* database = nullptr;
    ASSERT_TRUE(rocksdb::DB::Open(bare, Database(), &database).ok());
    delete database;
  }
  Open();
  CommitOne({.id = "a"});
  Reopen();
  EXPECT_EQ(Ids(), std::vector<std::string>{"a"});
}

TEST_F(Recovery, RefusesADatabaseOfSomebodyElse) {
  std::filesystem::remove_all(options.directory);
  std::filesystem::create_directories(Database());
  rocksdb::Options bare;
  bare.create_if_missing = true;
  rocksdb::DB* database = nullptr;
  ASSERT_TRUE(rocksdb::DB::Open(bare, Database(), &database).ok());
  ASSERT_TRUE(database->Put({}, "theirs", "data").ok());
  delete database;
  EXPECT_EQ(Refusal().code, StoreErrorCode::kFormat);
}

TEST_F(Recovery, RefusesALogThatWasDroppedAsAWhole) {
  Open();
  Fill(20);
  Tamper([](Rocks& rocks) { ASSERT_TRUE(rocks.db().DropColumnFamily(rocks.family(Family::kEvents)).ok()); });
  EXPECT_EQ(Refusal().code, StoreErrorCode::kDataLoss);
}

TEST_F(Recovery, RefusesADatabaseThatIsNotAStore) {
  std::filesystem::remove_all(Database());
  std::filesystem::create_directory(Database());
  Write(Database() / "CURRENT", "MANIFEST-000001\n");
  EXPECT_NE(Refusal().message, "");
}

TEST_F(Recovery, OpensAgainAndAgainWithoutLosingOrGrowing) {
  CrashAfterTwenty();
  for (int i = 0; i < 10; ++i) {
    Open();
    EXPECT_EQ(Ids().size(), 20u);
    Crash();
  }
  EXPECT_LT(DatabaseFiles(".sst").size() + DatabaseFiles(".log").size(), 20u);
}

TEST_F(Recovery, AWriteableDirectoryBecomesAStore) {
  std::filesystem::remove_all(options.directory);
  Open();
  CommitOne({.id = "a"});
  Reopen();
  EXPECT_EQ(Ids(), std::vector<std::string>{"a"});
}

}  // namespace
}  // namespace weir::storage
