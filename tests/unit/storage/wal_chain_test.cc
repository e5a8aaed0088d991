// What of a write-ahead log is believed, and what is called damage.
#include "storage/wal_chain.h"

#include <gtest/gtest.h>

#include "tests/unit/storage/wal_fixture.h"

namespace weir::storage {
namespace {

class WalChains : public WalTest {
 protected:
  // Three frames of a block each, in blocks 2, 3 and 4: "one", "two", "three".
  void WriteThree() {
    Begin();
    AppendSynced("one");
    AppendSynced("two");
    AppendSynced("three");
  }
};

TEST_F(WalChains, GiveTheBytesOfTheirFramesInOrder) {
  WriteThree();
  EXPECT_EQ(Text(), "onetwothree");
}

TEST_F(WalChains, OfALogThatWasOnlyBegunAreEmpty) {
  Begin();
  EXPECT_EQ(Text(), "");
}

TEST_F(WalChains, GiveAnyStretchOfTheirBytes) {
  WriteThree();
  OpenAnew();
  const auto opened = wal->Open(Log(), Disk::Access::kRead);
  ASSERT_TRUE(opened);
  std::string text(6, '\0');
  EXPECT_EQ((*opened)->ReadAt(2, text), 6u);
  EXPECT_EQ(text, "etwoth");
  EXPECT_EQ((*opened)->ReadAt(8, text), 3u) << "shorter at the end only";
}

TEST_F(WalChains, EndInFrontOfANewestFrameThatIsTorn) {
  WriteThree();
  Flip(Log(), 4 * kWalBlockBytes + kWalFrameHeadBytes);
  EXPECT_EQ(Text(), "onetwo");
  EXPECT_EQ(wal->TakeNotes().size(), 1u);
}

TEST_F(WalChains, AreDamagedWhereALaterFrameSaysTheyWereSynced) {
  WriteThree();
  Flip(Log(), 3 * kWalBlockBytes + kWalFrameHeadBytes);
  EXPECT_TRUE(IsDamaged());
}

TEST_F(WalChains, AreDamagedWithoutAFrameThatWasSynced) {
  WriteThree();
  Blank(Log(), 3);
  EXPECT_TRUE(IsDamaged());
}

// Two frames, each in a segment of its own, of which a power cut kept the second.
TEST_F(WalChains, EndInFrontOfAFrameThatNothingSaysWasSynced) {
  Begin();
  AppendSynced("one");
  Append(std::string(2 * kSegmentBytes, 'x'));
  Blank(WalSegment(Log(), 1), kFirstFrame);
  EXPECT_EQ(Text(), "one");
  EXPECT_EQ(wal->TakeNotes().size(), 1u);
}

TEST_F(WalChains, AreDamagedWhereTheNextLogSaysTheyWereLonger) {
  WriteThree();
  Begin(13);
  AppendSynced("four");
  Blank(Log(), 4);
  EXPECT_TRUE(IsDamaged());
}

TEST_F(WalChains, ThatAreCutShortAreDamagedWhereTheNextLogSaysSo) {
  WriteThree();
  Begin(13);
  AppendSynced("four");
  std::filesystem::resize_file(Log(), 4 * kWalBlockBytes);
  EXPECT_TRUE(IsDamaged());
}

TEST_F(WalChains, OfTheNextLogBeginOnceTheOneBeforeIsDurable) {
  Begin();
  Append("one");
  auto first = std::move(file);
  Begin(13);
  AppendSynced("two");
  first.reset();
  std::filesystem::remove(WalTail(Log()));
  EXPECT_EQ(Text(12), "one");
}

TEST_F(WalChains, AreReadWithOneOfTheirHeaders) {
  WriteThree();
  Blank(Log(), 0);
  EXPECT_EQ(Text(), "onetwothree");
}

TEST_F(WalChains, WithoutAHeaderAreDamaged) {
  Begin();
  Blank(Log(), 0);
  Blank(Log(), 1);
  EXPECT_TRUE(IsDamaged());
}

TEST_F(WalChains, AreReadOverDamageAsFarAsItGoes) {
  WriteThree();
  Flip(Log(), 3 * kWalBlockBytes + kWalFrameHeadBytes);
  EXPECT_EQ(Text(Log(), Disk::Access::kOverDamage), "oneuwothree") << "the altered frame as it is";
}

TEST_F(WalChains, GiveZerosForWhatIsLost) {
  WriteThree();
  Blank(Log(), 3);
  EXPECT_EQ(Text(Log(), Disk::Access::kOverDamage), std::string("one\0\0\0three", 11));
}

TEST_F(WalChains, GiveZerosUpToWhereTheNextLogSaysTheyEnd) {
  WriteThree();
  Begin(13);
  AppendSynced("four");
  Blank(Log(), 4);
  EXPECT_EQ(Text(Log(), Disk::Access::kOverDamage), std::string("onetwo\0\0\0\0\0", 11));
}

// What an earlier life of the segment left behind.
TEST_F(WalChains, DoNotTakeAFrameOfAnotherLife) {
  WriteThree();
  const std::string older = Raw(Log());
  std::filesystem::remove(Log());
  Begin();
  AppendSynced("ONE");
  file.reset();
  std::string newer = Raw(Log());
  PutRaw(Log(), newer + older.substr(newer.size()));
  EXPECT_EQ(Text(), "ONE");
}

TEST_F(WalChains, DoNotTakeAFrameOutOfABody) {
  WriteThree();
  const std::string frame = Raw(Log()).substr(4 * kWalBlockBytes, kWalBlockBytes);
  std::filesystem::remove(Log());
  Begin();
  // On a block's boundary, behind the head of the frame it is in.
  const std::string body = std::string(kWalBlockBytes - kWalFrameHeadBytes, 'x') + frame;
  AppendSynced(body);
  EXPECT_EQ(Text(), body);
}

TEST_F(WalChains, DoNotTakeAFrameThatWasWrittenElsewhere) {
  WriteThree();
  std::string bytes = Raw(Log());
  bytes += bytes.substr(3 * kWalBlockBytes, kWalBlockBytes);
  PutRaw(Log(), bytes);
  EXPECT_EQ(Text(), "onetwothree");
}

TEST_F(WalChains, OfTwoLogsWhoseSegmentsWereExchangedAreDamaged) {
  for (const int number : {12, 13}) {
    Begin(number);
    for (int i = 0; i < 40; ++i) AppendSynced(std::string(3000, 'x'));
  }
  file.reset();
  ASSERT_TRUE(std::filesystem::exists(WalSegment(Log(13), 1)));
  std::filesystem::rename(WalSegment(Log(12), 1), directory / "kept");
  std::filesystem::rename(WalSegment(Log(13), 1), WalSegment(Log(12), 1));
  std::filesystem::rename(directory / "kept", WalSegment(Log(13), 1));
  EXPECT_TRUE(IsDamaged(12));
}

TEST_F(WalChains, GoOnInTheNextSegment) {
  Begin();
  std::string all;
  for (int i = 0; i < 100; ++i) {
    const std::string text = std::to_string(i) + std::string(3000, 'x');
    AppendSynced(text);
    all += text;
  }
  ASSERT_TRUE(std::filesystem::exists(WalSegment(Log(), 3)));
  EXPECT_EQ(Text(), all);
}

TEST_F(WalChains, AreDamagedWithoutAHeaderOfALaterSegment) {
  Begin();
  for (int i = 0; i < 40; ++i) AppendSynced(std::string(3000, 'x'));
  Blank(WalSegment(Log(), 1), 0);
  Blank(WalSegment(Log(), 1), 1);
  EXPECT_TRUE(IsDamaged());
}

TEST_F(WalChains, AreDamagedWithoutASegmentInTheMiddle) {
  Begin();
  for (int i = 0; i < 100; ++i) AppendSynced(std::string(3000, 'x'));
  std::filesystem::remove(WalSegment(Log(), 1));
  EXPECT_TRUE(IsDamaged());
}

TEST_F(WalChains, WithoutTheirFirstSegmentAreNotThere) {
  WriteThree();
  std::filesystem::remove(Log());
  OpenAnew();
  const auto opened = wal->Open(Log(), Disk::Access::kRead);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ENOENT);
}

TEST_F(WalChains, TakeAFailedReadForNoEnd) {
  WriteThree();
  OpenAnew();
  std::filesystem::remove(Log());
  std::filesystem::create_directory(Log());  // whoever reads it gets EISDIR
  const auto opened = wal->Open(Log(), Disk::Access::kRead);
  ASSERT_FALSE(opened);
  EXPECT_NE(opened.error().code, EBADMSG);
}

// The tail: what was appended and not synced.

TEST_F(WalChains, GoOnInTheirTail) {
  Begin();
  AppendSynced("one");
  Append("two");
  ASSERT_TRUE(file->Flush());
  Append("three");
  ASSERT_TRUE(file->Flush());
  disk->Kill("nothing");
  disk = std::make_shared<tests::FaultyDisk>();
  EXPECT_EQ(Text(), "onetwothree");
}

TEST_F(WalChains, AreDamagedWhereTheirTailSaysTheyWereSynced) {
  WriteThree();
  Append("four");
  ASSERT_TRUE(file->Flush());
  Flip(Log(), 4 * kWalBlockBytes + kWalFrameHeadBytes);
  EXPECT_TRUE(IsDamaged());
  EXPECT_EQ(Text(Log(), Disk::Access::kOverDamage), "onetwouhreefour");
  Blank(Log(), 4);
  EXPECT_EQ(Text(Log(), Disk::Access::kOverDamage), std::string("onetwo\0\0\0\0\0four", 15));
}

TEST_F(WalChains, LoseWhatWasNeitherFlushedNorSyncedWithTheProcess) {
  Begin();
  AppendSynced("one");
  Append("two");
  disk->Kill("nothing");
  file.reset();
  disk = std::make_shared<tests::FaultyDisk>();
  EXPECT_EQ(Text(), "one");
}

TEST_F(WalChains, TakeNothingOfATailThatIsInAFrameAsWell) {
  Begin();
  Append("one");
  ASSERT_TRUE(file->Flush());
  Sync();
  EXPECT_EQ(Text(), "one");
}

TEST_F(WalChains, TakeNothingOfATailBehindAPieceThatIsMissing) {
  Begin();
  AppendSynced("one");
  Append("two");
  ASSERT_TRUE(file->Flush());
  Append("three");
  ASSERT_TRUE(file->Flush());
  file.reset();
  Flip(WalTail(Log()), kWalPieceHeadBytes);
  EXPECT_EQ(Text(), "one");
}

TEST_F(WalChains, KeepInAFrameWhatATailHasNoRoomFor) {
  Begin();
  std::string all;
  for (int i = 0; i < 40; ++i) {
    const std::string text = std::to_string(i) + std::string(10'000, 'x');
    Append(text);
    ASSERT_TRUE(file->Flush());
    all += text;
  }
  disk->Kill("nothing");
  disk = std::make_shared<tests::FaultyDisk>();
  EXPECT_EQ(Text(), all);
}

TEST_F(WalChains, ThatWereFoundAreNotWrittenTo) {
  WriteThree();
  OpenAnew();
  const auto opened = wal->Open(Log(), Disk::Access::kUpdate);
  ASSERT_TRUE(opened);
  EXPECT_FALSE((*opened)->WriteAt(11, "four"));
  EXPECT_TRUE((*opened)->Resize(11)) << "RocksDB does, at the end of each recovery";
  EXPECT_EQ(Text(), "onetwothree");
}

TEST_F(WalChains, AreToldFromTheLogsOfAnOlderBuild) {
  WriteThree();
  EXPECT_FALSE(IsPlainWal(*disk, Log()));
}

}  // namespace
}  // namespace weir::storage
