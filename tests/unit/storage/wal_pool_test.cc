// The segments that are in no log, and how they come into one.
#include "storage/wal_pool.h"

#include <gtest/gtest.h>

#include "storage/store_health.h"
#include "tests/unit/storage/wal_fixture.h"

namespace weir::storage {
namespace {

class WalPools : public WalTest {
 protected:
  std::size_t FilesInPool() const {
    if (!std::filesystem::exists(Pool())) return 0;
    return static_cast<std::size_t>(
        std::distance(std::filesystem::directory_iterator(Pool()), std::filesystem::directory_iterator()));
  }
  void Remove(int number = 12) { ASSERT_TRUE(wal->Remove(Log(number))); }
};

TEST_F(WalPools, MakeNothingForALogThatIsHardlyWrittenTo) {
  Begin();
  AppendSynced("one");
  EXPECT_EQ(wal->pool().Step(), WalPool::Did::kNothing);
}

TEST_F(WalPools, MakeSegmentsAheadOfNeed) {
  FillPool();
  EXPECT_EQ(FilesInPool(), limits::kWalSegmentsReady);
  for (const auto& segment : std::filesystem::directory_iterator(Pool()))
    EXPECT_EQ(segment.file_size(), kSegmentBytes);
  EXPECT_EQ(wal->pool().Step(), WalPool::Did::kNothing) << "enough";
}

TEST_F(WalPools, BeginALogInASegmentThatIsReady) {
  FillPool();
  Begin();
  AppendSynced("one");
  EXPECT_EQ(wal->pool().Figures().prewritten, 1u);
  EXPECT_EQ(std::filesystem::file_size(Log()), kSegmentBytes);
  EXPECT_EQ(Text(), "one");
}

TEST_F(WalPools, LetALogGrowWhereNoneIsReady) {
  Begin();
  AppendSynced("one");
  EXPECT_EQ(wal->pool().Figures().grown, 1u);
  EXPECT_LT(std::filesystem::file_size(Log()), kSegmentBytes);
}

TEST_F(WalPools, OfferAGrowingLogTheNextSegmentBeforeItIsFull) {
  Begin();
  AppendSynced("one");
  FillPool();
  RunPool();
  AppendSynced("two");
  EXPECT_EQ(wal->pool().Figures().prewritten, 1u);
  EXPECT_EQ(std::filesystem::file_size(WalSegment(Log(), 1)), kSegmentBytes);
  EXPECT_EQ(Text(), "onetwo");
}

TEST_F(WalPools, OfferNothingToALogThatIsClosed) {
  Begin();
  AppendSynced("one");
  file.reset();
  FillPool();
  RunPool();
  EXPECT_FALSE(std::filesystem::exists(WalSegment(Log(), 1)));
}

TEST_F(WalPools, TakeBackWhatALogWasIn) {
  FillPool();
  Begin();
  AppendSynced("secret");
  file.reset();
  Remove();
  EXPECT_FALSE(std::filesystem::exists(Log()));
  RunPool();
  EXPECT_EQ(wal->pool().Figures().ready, 2u);
  EXPECT_EQ(FilesInPool(), 2u);
}

// Kills the process between taking a segment that was in use and the first frame in it.
TEST_F(WalPools, GiveASegmentThatWasInUseAsAnEmptyLog) {
  FillPool();
  Begin();
  AppendSynced("of an older life");
  file.reset();
  Remove();
  RunPool();
  Begin(13);
  Begin(14);
  EXPECT_EQ(Text(13), "");
  EXPECT_EQ(Text(14), "");
}

TEST_F(WalPools, TakeNoSegmentForReadyThatAnEarlierProcessLeft) {
  FillPool();
  OpenAnew();
  EXPECT_EQ(wal->pool().Figures().ready, 0u);
  Begin();
  EXPECT_EQ(wal->pool().Figures().grown, 1u);
}

TEST_F(WalPools, MakeReadyAgainWhatAnEarlierProcessLeft) {
  FillPool();
  OpenAnew();
  ASSERT_TRUE(wal->pool().Start(Store(), nullptr));
  wal->pool().Stop();
  RunPool();
  EXPECT_EQ(wal->pool().Figures().ready, 2u);
  EXPECT_EQ(FilesInPool(), 2u);
}

TEST_F(WalPools, LeaveAloneWhatIsNotTheirs) {
  FillPool();
  PutRaw(Pool() / "notes.txt", "an operator's");
  OpenAnew();
  ASSERT_TRUE(wal->pool().Start(Store(), nullptr));
  wal->pool().Stop();
  RunPool();
  EXPECT_EQ(Raw(Pool() / "notes.txt"), "an operator's");
}

TEST_F(WalPools, CollectSegmentsOfALogWhoseFirstIsGone) {
  Begin();
  for (int i = 0; i < 40; ++i) AppendSynced(std::string(3000, 'x'));
  file.reset();
  std::filesystem::remove(Log());
  PutRaw(WalTail(Log()), "tail");
  OpenAnew();
  ASSERT_TRUE(wal->pool().Start(Store(), nullptr));
  wal->pool().Stop();
  EXPECT_TRUE(std::filesystem::is_empty(Store()));
}

// A backup's, store.found's, store.lost.N's.
TEST_F(WalPools, NeverWriteOverASegmentThatHasAnotherName) {
  FillPool();
  Begin();
  AppendSynced("kept");
  file.reset();
  const auto kept = directory / "kept.log";
  std::filesystem::create_hard_link(Log(), kept);
  const std::string bytes = Raw(kept);
  Remove();
  RunPool();
  EXPECT_EQ(Raw(kept), bytes);
  EXPECT_EQ(std::filesystem::hard_link_count(kept), 1u);
}

TEST_F(WalPools, GiveBackWhatIsMoreThanIsKept) {
  FillPool();
  for (std::size_t i = 0; i < limits::kWalSegmentsKept + 3; ++i)
    PutRaw(Pool() / ("9" + std::to_string(i)), std::string(kSegmentBytes, 'x'));
  OpenAnew();
  ASSERT_TRUE(wal->pool().Start(Store(), nullptr));
  wal->pool().Stop();
  RunPool();
  EXPECT_EQ(FilesInPool(), limits::kWalSegmentsKept);
}

// As after a copy that left holes.
TEST_F(WalPools, WriteASegmentAgainThatIsNotInBlocksOfItsOwn) {
  FillPool();
  Begin();
  AppendSynced("one");
  file.reset();
  const auto blocks = [&] { return Raw(Pool() / "3").substr(kWalFramesAt); };
  Remove();
  disk->SayNotAllocated(1);
  RunPool();
  EXPECT_EQ(wal->pool().Figures().ready, 2u);
  EXPECT_EQ(blocks(), std::string(kSegmentBytes - kWalFramesAt, blocks().back()));
  EXPECT_TRUE(wal->pool().Figures().room_is_taken);
}

TEST_F(WalPools, SayWhereNoSegmentIsInBlocksOfItsOwn) {
  disk->SayNotAllocated(tests::FaultyDisk::kForGood);
  FillPool();
  EXPECT_FALSE(wal->pool().Figures().room_is_taken);
  Begin();
  AppendSynced("one");
  file.reset();
  Remove();
  RunPool();
  EXPECT_EQ(wal->pool().Figures().ready, 2u) << "and uses them all the same";
}

TEST_F(WalPools, TellOfWhatTheyCannotDo) {
  StoreHealth health(nullptr, nullptr);
  ASSERT_TRUE(wal->pool().Start(Store(), &health));
  wal->pool().Stop();
  disk->FailWrites("1", tests::FaultyDisk::kForGood);
  wal->pool().Logged(kSegmentBytes);
  EXPECT_EQ(wal->pool().Step(), WalPool::Did::kFail);
  ASSERT_EQ(health.Lasting().size(), 1u);
  EXPECT_EQ(health.Lasting()[0].part, StoreTrouble::Part::kLog);
  EXPECT_EQ(FilesInPool(), 0u) << "half a segment is none";
  EXPECT_EQ(wal->pool().Step(), WalPool::Did::kSomething);
  EXPECT_TRUE(health.Lasting().empty());
}

}  // namespace
}  // namespace weir::storage
