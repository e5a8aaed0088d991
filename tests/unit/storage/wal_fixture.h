// Write-ahead logs without a database: appended to, closed, cut, read.
#pragma once

#include <gtest/gtest.h>

#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>

#include "storage/limits.h"
#include "storage/wal_disk.h"
#include "storage/wal_name.h"
#include "tests/support/faulty_disk.h"
#include "tests/support/temp_directory.h"

namespace weir::storage {

class WalTest : public testing::Test {
 protected:
  static constexpr std::uint64_t kSegmentBytes = 128u << 10;

  WalTest() {
    std::filesystem::create_directories(Store());
    OpenAnew();
  }
  ~WalTest() override {
    file.reset();
    wal.reset();
    std::filesystem::remove_all(directory);
  }

  std::filesystem::path Store() const { return directory / "store"; }
  std::filesystem::path Pool() const { return directory / "wal"; }
  std::filesystem::path Log(int number = 12) const {
    return Store() / ("0000" + std::to_string(number) + ".log");
  }
  // The next process.
  void OpenAnew() {
    file.reset();
    wal = std::make_shared<WalDisk>(disk, WalPoolOptions{.folder = Pool(),
                                                         .segment_bytes = kSegmentBytes,
                                                         .synced = true,
                                                         .new_life = [this] { return NewLife(); }});
  }
  void Begin(int number = 12) {
    auto begun = wal->Open(Log(number), Disk::Access::kReplace);
    ASSERT_TRUE(begun) << begun.error().message;
    file = *std::move(begun);
  }
  void Append(std::string_view bytes) {
    ASSERT_NE(file, nullptr);
    const auto size = file->Size();
    ASSERT_TRUE(size);
    ASSERT_TRUE(file->WriteAt(*size, bytes));
  }
  void Sync() {
    ASSERT_NE(file, nullptr);
    ASSERT_TRUE(file->Sync());
  }
  void AppendSynced(std::string_view bytes) {
    Append(bytes);
    Sync();
  }
  // Whole segments, as a process that has been at work for a while has them.
  void FillPool() {
    wal->pool().Logged(kSegmentBytes);
    while (wal->pool().Figures().ready < limits::kWalSegmentsReady)
      ASSERT_EQ(wal->pool().Step(), WalPool::Did::kSomething);
  }
  void RunPool() {
    while (wal->pool().Step() == WalPool::Did::kSomething) {
    }
  }

  // What the next process finds.
  std::string Text(const std::filesystem::path& log, Disk::Access access = Disk::Access::kRead) {
    OpenAnew();
    return TextNow(log, access);
  }
  std::string Text(int number = 12) { return Text(Log(number)); }
  std::string TextNow(const std::filesystem::path& log, Disk::Access access = Disk::Access::kRead) {
    const auto opened = wal->Open(log, access);
    if (!opened) return opened.error().message;
    std::string text((*opened)->Size().value(), '\0');
    const auto read = (*opened)->ReadAt(0, text);
    EXPECT_TRUE(read) << read.error().message;
    EXPECT_EQ(read.value_or(0), text.size());
    return text;
  }
  bool IsDamaged(int number = 12) {
    OpenAnew();
    const auto opened = wal->Open(Log(number), Disk::Access::kRead);
    return !opened && opened.error().code == EBADMSG;
  }

  static std::string Raw(const std::filesystem::path& path) {
    std::ifstream stream(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
  }
  static void PutRaw(const std::filesystem::path& path, std::string_view bytes) {
    std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
  }
  static void Flip(const std::filesystem::path& path, std::size_t at) {
    std::string bytes = Raw(path);
    ASSERT_LT(at, bytes.size());
    bytes[at] = static_cast<char>(bytes[at] ^ 1);
    PutRaw(path, bytes);
  }
  // A block of a segment as if it had never been written.
  static void Blank(const std::filesystem::path& path, std::size_t block) {
    std::string bytes = Raw(path);
    ASSERT_LE((block + 1) * kWalBlockBytes, bytes.size());
    bytes.replace(block * kWalBlockBytes, kWalBlockBytes, kWalBlockBytes, '\0');
    PutRaw(path, bytes);
  }

  WalLife NewLife() {
    WalLife life{};
    life[0] = static_cast<char>(++lives);
    return life;
  }

  const std::filesystem::path directory = tests::MakeTempDirectory();
  int lives = 0;
  std::shared_ptr<tests::FaultyDisk> disk = std::make_shared<tests::FaultyDisk>();
  std::shared_ptr<WalDisk> wal;
  std::unique_ptr<DiskFile> file;
};

// The block of the first frame.
inline constexpr std::size_t kFirstFrame = kWalHeaderBlocks;

}  // namespace weir::storage
