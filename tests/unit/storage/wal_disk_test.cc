// A log as one file: whatever is done to it is done to all of its segments.
#include "storage/wal_disk.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/unit/storage/wal_fixture.h"

namespace weir::storage {
namespace {

class WalDisks : public WalTest {
 protected:
  // More than one segment, and a tail.
  std::string Write() {
    Begin();
    std::string all;
    for (int i = 0; i < 80; ++i) {
      const std::string text = std::to_string(i) + std::string(3000, 'x');
      AppendSynced(text);
      all += text;
    }
    Append("tail");
    EXPECT_TRUE(file->Flush());
    file.reset();
    EXPECT_TRUE(std::filesystem::exists(WalSegment(Log(), 1)));
    EXPECT_TRUE(std::filesystem::exists(WalTail(Log())));
    return all + "tail";
  }
};

TEST_F(WalDisks, ListALogOnce) {
  Write();
  const auto names = wal->List(Store());
  ASSERT_TRUE(names);
  EXPECT_EQ(*names, std::vector<std::string>{"000012.log"});
}

TEST_F(WalDisks, SayHowManyBytesALogHolds) {
  const std::string all = Write();
  EXPECT_EQ(BytesOf(*wal, Log()), all.size());
  OpenAnew();
  EXPECT_EQ(BytesOf(*wal, Log()), all.size());
}

TEST_F(WalDisks, SayHowManyBytesALogHoldsWhileItIsWritten) {
  Begin();
  Append("one");
  EXPECT_EQ(BytesOf(*wal, Log()), 3u);
}

TEST_F(WalDisks, RemoveAllOfALog) {
  Write();
  ASSERT_TRUE(wal->Remove(Log()));
  EXPECT_TRUE(std::filesystem::is_empty(Store()));
}

TEST_F(WalDisks, RemoveAllOfALogThatLacksASegment) {
  Write();
  ASSERT_TRUE(std::filesystem::exists(WalSegment(Log(), 2)));
  std::filesystem::remove(WalSegment(Log(), 1));
  ASSERT_TRUE(RemoveTree(*wal, Store()));
  EXPECT_FALSE(std::filesystem::exists(Store()));
}

TEST_F(WalDisks, RenameAllOfALog) {
  const std::string all = Write();
  ASSERT_TRUE(wal->Rename(Log(), Log().string() + ".unordered"));
  ASSERT_TRUE(wal->Rename(Log().string() + ".unordered", Log(14)));
  EXPECT_FALSE(Exists(*wal, Log()));
  EXPECT_TRUE(IsDamaged(14)) << "it says that it is log 12";
  EXPECT_EQ(Text(Log(14), Disk::Access::kOverDamage), all);
}

TEST_F(WalDisks, LinkAllOfALog) {
  const std::string all = Write();
  std::filesystem::create_directory(directory / "found");
  ASSERT_TRUE(wal->Link(Log(), directory / "found" / "000012.log"));
  ASSERT_TRUE(wal->Remove(Log()));
  EXPECT_EQ(Text(directory / "found" / "000012.log"), all);
}

TEST_F(WalDisks, RefuseToSyncAfterASyncHasFailed) {
  Begin();
  AppendSynced("one");
  Append("two");
  disk->FailSyncs(".log", 1);
  EXPECT_FALSE(file->Sync());
  EXPECT_FALSE(file->Sync()) << "the kernel has dropped what it could not write";
  EXPECT_FALSE(file->WriteAt(6, "three"));
}

TEST_F(WalDisks, LeaveOtherFilesAlone) {
  PutRaw(Store() / "000012.sst", "table");
  EXPECT_EQ(BytesOf(*wal, Store() / "000012.sst"), 5u);
  ASSERT_TRUE(wal->Remove(Store() / "000012.sst"));
  EXPECT_FALSE(std::filesystem::exists(Store() / "000012.sst"));
}

TEST(WalNames, AreLogsSegmentsAndTails) {
  EXPECT_TRUE(IsWal("/d/000012.log"));
  EXPECT_TRUE(IsWal("/d/000012.log.unordered"));
  for (const char* other : {"/d/000012.sst", "/d/LOG", "/d/x.log", "/d/.log", "/d/000012.log.1",
                            "/d/000012.log.tail", "/d/wal/12"})
    EXPECT_FALSE(IsWal(other)) << other;
  EXPECT_TRUE(IsWalPiece("000012.log.1"));
  EXPECT_TRUE(IsWalPiece("000012.log.tail"));
  EXPECT_TRUE(IsWalPiece("000012.log.unordered.7"));
  EXPECT_FALSE(IsWalPiece("000012.log"));
  EXPECT_EQ(WalOf("/d/000012.log.7"), "/d/000012.log");
  EXPECT_EQ(WalNumber("/d/000012.log"), 12u);
}

}  // namespace
}  // namespace weir::storage
