// What the simulated disk keeps and loses, before anything is believed that was found with it.
#include "tests/simulate/simulated_disk.h"

#include <gtest/gtest.h>

#include <optional>

namespace weir::tests {
namespace {

using Access = storage::Disk::Access;

class Simulated : public testing::Test {
 protected:
  Simulated() {
    EXPECT_TRUE(disk_.MakeDirectory("/d"));
    EXPECT_TRUE(disk_.SyncDirectory("/"));
  }
  std::unique_ptr<storage::DiskFile> Open(const char* path, Access access = Access::kUpdate) {
    auto opened = disk_.Open(path, access);
    EXPECT_TRUE(opened) << path;
    return *std::move(opened);
  }
  // As it is before the next change.
  Moment Now() {
    std::optional<Moment> now;
    disk_.WatchWith([&](SimulatedDisk::Operation, const std::function<Moment()>& moment) {
      if (!now) now = moment();
    });
    std::ignore = disk_.SyncDirectory("/");
    disk_.WatchWith(nullptr);
    return *now;
  }
  static std::string Bytes(SimulatedDisk& disk, const char* path) {
    return storage::ReadWhole(disk, path).value_or("(none)");
  }
  std::string After(const Survivors& survivors, const char* path) {
    const auto left = Now().After(survivors);
    return Bytes(*left, path);
  }

  SimulatedDisk disk_;
};

TEST_F(Simulated, LosesWhatWasNotSyncedAndKeepsWhatWas) {
  const auto file = Open("/d/a");
  ASSERT_TRUE(file->WriteAt(0, "first"));
  ASSERT_TRUE(file->Sync());
  EXPECT_EQ(After(Survivors::None(), "/d/a"), "(none)") << "nobody has synced its name";
  ASSERT_TRUE(disk_.SyncDirectory("/d"));
  ASSERT_TRUE(file->WriteAt(5, " second"));
  EXPECT_EQ(After(Survivors::None(), "/d/a"), "first");
  EXPECT_EQ(After(Survivors::All(), "/d/a"), "first second");
  EXPECT_EQ(Bytes(disk_, "/d/a"), "first second");
}

TEST_F(Simulated, MayKeepALaterBlockAndLoseAnEarlierOne) {
  const auto file = Open("/d/a");
  ASSERT_TRUE(disk_.SyncDirectory("/d"));
  ASSERT_TRUE(file->WriteAt(0, std::string(4096, 'a') + std::string(4096, 'b')));
  ASSERT_EQ(Now().units(), 3u) << "two blocks and the growth";
  EXPECT_EQ(After(Survivors::AllBut(0), "/d/a"), std::string(4096, '\0') + std::string(4096, 'b'));
  EXPECT_EQ(After(Survivors::AllBut(1), "/d/a"), std::string(4096, 'a'));
  EXPECT_EQ(After(Survivors::AllBut(2), "/d/a"), "") << "the growth is lost";
}

TEST_F(Simulated, CutsAKeptBlockBehindASector) {
  const auto file = Open("/d/a");
  ASSERT_TRUE(disk_.SyncDirectory("/d"));
  ASSERT_TRUE(file->WriteAt(0, std::string(4096, 'a')));
  std::set<std::size_t> sizes;
  for (std::uint64_t seed = 0; seed < 200; ++seed)
    sizes.insert(After(Survivors::BySeed(seed), "/d/a").size());
  EXPECT_TRUE(sizes.contains(0) && sizes.contains(4096));
  EXPECT_GT(sizes.size(), 4u);
  for (const std::size_t size : sizes) EXPECT_EQ(size % 512, 0u);
}

TEST_F(Simulated, ARenameIsWholeOrNotAtAll) {
  const auto file = Open("/d/new");
  ASSERT_TRUE(file->WriteAt(0, "new"));
  ASSERT_TRUE(file->Sync());
  ASSERT_TRUE(disk_.SyncDirectory("/d"));
  ASSERT_TRUE(disk_.Rename("/d/new", "/d/name"));
  for (const auto& survivors : {Survivors::None(), Survivors::All()}) {
    const auto left = Now().After(survivors);
    EXPECT_NE(storage::Exists(*left, "/d/new"), storage::Exists(*left, "/d/name")) << survivors.Name();
  }
}

TEST_F(Simulated, ARenameIsDurableOnceBothDirectoriesAre) {
  ASSERT_TRUE(disk_.MakeDirectory("/e"));
  ASSERT_TRUE(disk_.SyncDirectory("/"));
  Open("/d/a");
  ASSERT_TRUE(disk_.SyncDirectory("/d"));
  ASSERT_TRUE(disk_.Rename("/d/a", "/e/b"));
  ASSERT_TRUE(disk_.SyncDirectory("/e"));
  EXPECT_EQ(After(Survivors::None(), "/e/b"), "(none)");
  ASSERT_TRUE(disk_.SyncDirectory("/d"));
  EXPECT_EQ(After(Survivors::None(), "/e/b"), "");
  EXPECT_EQ(After(Survivors::None(), "/d/a"), "(none)");
}

TEST_F(Simulated, ARemovedFileMayComeBackAndALinkKeepsIt) {
  const auto file = Open("/d/a");
  ASSERT_TRUE(file->WriteAt(0, "x"));
  ASSERT_TRUE(file->Sync());
  ASSERT_TRUE(disk_.Link("/d/a", "/d/b"));
  EXPECT_EQ((*disk_.Look("/d/a"))->links, 2u);
  ASSERT_TRUE(disk_.SyncDirectory("/d"));
  ASSERT_TRUE(disk_.Remove("/d/a"));
  EXPECT_EQ(After(Survivors::None(), "/d/a"), "x");
  EXPECT_EQ(After(Survivors::All(), "/d/a"), "(none)");
  EXPECT_EQ(After(Survivors::All(), "/d/b"), "x");
}

TEST_F(Simulated, ALockIsHeldUntilItIsLetGo) {
  auto lock = disk_.Lock("/d/lock", storage::Disk::LockMode::kExclusive);
  ASSERT_TRUE(lock && *lock);
  EXPECT_EQ(*disk_.Lock("/d/lock", storage::Disk::LockMode::kShared), nullptr);
  lock->reset();
  EXPECT_NE(*disk_.Lock("/d/lock", storage::Disk::LockMode::kShared), nullptr);
}

}  // namespace
}  // namespace weir::tests
