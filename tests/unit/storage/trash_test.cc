// What becomes of large files that the database deletes.
#include "storage/trash.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <mutex>

#include "storage/limits.h"
#include "storage/store_health.h"
#include "tests/support/eventually.h"
#include "tests/unit/storage/store_fixture.h"

namespace weir::storage {
namespace {

namespace fs = std::filesystem;

// Remembers the largest file that was removed whole; syncs no directory while it must not.
class WatchedDisk final : public tests::FaultyDisk {
 public:
  DiskResult<void> Remove(const fs::path& file) override {
    const std::uint64_t bytes = BytesOf(*this, file);
    const auto facts = Look(file);
    {
      const std::lock_guard lock(mutex);
      if (facts && *facts && (*facts)->links == 1) largest_removed = std::max(largest_removed, bytes);
    }
    return FaultyDisk::Remove(file);
  }
  DiskResult<void> SyncDirectory(const fs::path& directory) override {
    if (!syncs)
      return std::unexpected(DiskError{.code = EIO, .message = "cannot sync " + directory.string()});
    return FaultyDisk::SyncDirectory(directory);
  }
  std::uint64_t LargestRemoved() {
    const std::lock_guard lock(mutex);
    return largest_removed;
  }

  std::mutex mutex;
  std::uint64_t largest_removed = 0;
  bool syncs = true;
};

class Trashed : public testing::Test {
 protected:
  Trashed() { fs::create_directories(store_); }
  ~Trashed() override { fs::remove_all(directory_); }

  fs::path Make(const fs::path& file, std::uint64_t pieces) {
    std::ofstream(file) << std::string(pieces * limits::kTrashPieceBytes, 'x');
    return file;
  }

  const fs::path directory_ = tests::MakeTempDirectory();
  const fs::path store_ = directory_ / "store";
  const fs::path folder_ = directory_ / kTrashFolder;
  const std::shared_ptr<WatchedDisk> disk_ = std::make_shared<WatchedDisk>();
  StoreHealth health_{nullptr, nullptr};
};

TEST_F(Trashed, ALargeFileGoesAPieceAtATime) {
  Trash trash(disk_, store_, folder_, &health_);
  ASSERT_TRUE(trash.Take(Make(store_ / "000012.log", 3)));
  EXPECT_FALSE(fs::exists(store_ / "000012.log"));
  EXPECT_EQ(fs::file_size(folder_ / "1"), 3 * limits::kTrashPieceBytes);
  EXPECT_TRUE(trash.Step());
  EXPECT_EQ(fs::file_size(folder_ / "1"), 2 * limits::kTrashPieceBytes);
  EXPECT_TRUE(trash.Step());
  EXPECT_FALSE(trash.Step());
  EXPECT_FALSE(fs::exists(folder_ / "1"));
  EXPECT_EQ(disk_->LargestRemoved(), limits::kTrashPieceBytes);
}

TEST_F(Trashed, SmallFilesOtherFoldersAndLinkedFilesAreDeletedAsEver) {
  Trash trash(disk_, store_, folder_, &health_);
  EXPECT_FALSE(trash.Take(Make(store_ / "small", 1)));
  EXPECT_FALSE(trash.Take(Make(directory_ / "elsewhere", 2)));
  EXPECT_FALSE(trash.Take(store_ / "missing"));
  fs::create_hard_link(Make(store_ / "linked", 2), directory_ / "link");
  EXPECT_FALSE(trash.Take(store_ / "linked"));
  EXPECT_TRUE(fs::exists(store_ / "small") && fs::exists(directory_ / "elsewhere") &&
              fs::exists(store_ / "linked"));
}

// A backup that links what it copies, made while the file waits.
TEST_F(Trashed, WhoLinksAFileKeepsAllOfIt) {
  Trash trash(disk_, store_, folder_, &health_);
  ASSERT_TRUE(trash.Take(Make(store_ / "000012.sst", 3)));
  ASSERT_TRUE(trash.Step());
  fs::create_hard_link(folder_ / "1", directory_ / "backup");
  EXPECT_FALSE(trash.Step());
  EXPECT_FALSE(fs::exists(folder_ / "1"));
  EXPECT_EQ(fs::file_size(directory_ / "backup"), 2 * limits::kTrashPieceBytes);
}

// Otherwise a power cut could bring the file back under its old name, without its end.
TEST_F(Trashed, NothingIsCutBeforeTheRenameIsDurable) {
  Trash trash(disk_, store_, folder_, &health_);
  ASSERT_TRUE(trash.Take(Make(store_ / "000012.log", 3)));
  disk_->syncs = false;
  EXPECT_FALSE(trash.Step());
  EXPECT_EQ(fs::file_size(folder_ / "1"), 3 * limits::kTrashPieceBytes);
  ASSERT_EQ(health_.Lasting().size(), 1u);
  EXPECT_EQ(health_.Lasting()[0].part, StoreTrouble::Part::kTrash);
}

TEST_F(Trashed, WhatAnEarlierProcessLeftGoesToo) {
  fs::create_directories(folder_);
  Make(folder_ / "7", 2);
  Trash trash(disk_, store_, folder_, &health_);
  ASSERT_TRUE(trash.Take(Make(store_ / "000012.log", 2)));
  EXPECT_TRUE(fs::exists(folder_ / "8")) << "no name is given twice";
  while (trash.Step()) {
  }
  EXPECT_TRUE(fs::is_empty(folder_));
}

TEST_F(Trashed, PastTheLimitOfWhatWaitsFilesAreDeletedAtOnce) {
  fs::create_directories(folder_);
  for (std::size_t i = 1; i <= limits::kTrashFilesMax; ++i) Make(folder_ / std::to_string(i), 0);
  Trash trash(disk_, store_, folder_, &health_);
  EXPECT_FALSE(trash.Take(Make(store_ / "000012.log", 2)));
}

class StoreTrash : public StoreTest {};

TEST_F(StoreTrash, TakesTheLogsAndTablesOfARunningStore) {
  const auto watched = std::make_shared<WatchedDisk>();
  options.disk = watched;
  options.memtable_bytes = 4u << 20;
  Open();
  for (int i = 0; i < 32; ++i)
    CommitOne({.id = std::to_string(i), .body = std::string(1u << 20, 'x'), .received_at_us = kNowUs});
  tests::Eventually([&] { return fs::exists(options.directory / kTrashFolder); });
  ASSERT_TRUE(store->TrimBefore(30, {}));
  store.reset();
  EXPECT_LE(watched->LargestRemoved(), limits::kTrashPieceBytes);
  Open();
  EXPECT_EQ(Ids().back(), "31");
}

}  // namespace
}  // namespace weir::storage
