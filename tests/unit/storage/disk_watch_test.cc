// What is said of a disk's room, by disks that answer, do not, or take their time.
#include "storage/disk_watch.h"

#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <semaphore>

#include "tests/support/eventually.h"
#include "tests/support/faulty_disk.h"
#include "tests/support/temp_directory.h"

namespace weir::storage {
namespace {

// Says `room`; nothing at all while it is to be silent.
class RoomyDisk final : public tests::FaultyDisk {
 public:
  DiskResult<std::uint64_t> FreeBytes(const std::filesystem::path& path) const override {
    if (silent) {
      asked.release();
      answer.acquire();
    }
    if (!says) return std::unexpected(DiskError{.code = EIO, .message = "cannot measure " + path.string()});
    return room.load();
  }
  std::atomic<std::uint64_t> room{1000};
  std::atomic<bool> says{true};
  std::atomic<bool> silent{false};
  mutable std::binary_semaphore asked{0};
  mutable std::binary_semaphore answer{0};
};

class Watched : public testing::Test {
 protected:
  ~Watched() override { std::filesystem::remove_all(directory_); }
  const std::filesystem::path directory_ = tests::MakeTempDirectory();
  const std::shared_ptr<RoomyDisk> disk_ = std::make_shared<RoomyDisk>();
};

TEST_F(Watched, IsLookedAtBeforeTheWatchBegins) {
  const DiskWatch watch(disk_, directory_);
  EXPECT_EQ(watch.Last().free_bytes, 1000);
  EXPECT_GT(watch.Last().monotonic_ms, 0);
}

TEST_F(Watched, SaysWhatTheDiskSaysLater) {
  DiskWatch watch(disk_, directory_);
  ASSERT_TRUE(watch.Start());
  disk_->room = 500;
  EXPECT_TRUE(tests::Eventually([&] { return watch.Last().free_bytes == 500; }));
}

TEST_F(Watched, KeepsTheAgeOfWhatADiskSaidThatAnswersWithErrors) {
  const DiskWatch before(disk_, directory_);
  disk_->says = false;
  const DiskWatch never(disk_, directory_);
  EXPECT_EQ(never.Last().monotonic_ms, 0);
  EXPECT_GT(before.Last().monotonic_ms, 0);
}

TEST_F(Watched, WaitsForNobodyWhileItIsSilent) {
  auto watch = std::make_unique<DiskWatch>(disk_, directory_);
  ASSERT_TRUE(watch->Start());
  disk_->silent = true;
  disk_->asked.acquire();
  EXPECT_EQ(watch->Last().free_bytes, 1000);
  watch.reset();
  disk_->silent = false;
  disk_->answer.release();
}

}  // namespace
}  // namespace weir::storage
