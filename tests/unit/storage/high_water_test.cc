#include "storage/high_water.h"

#include <gtest/gtest.h>

#include <atomic>
#include <fstream>
#include <iterator>

#include "tests/support/eventually.h"
#include "tests/support/faulty_disk.h"
#include "tests/support/temp_directory.h"

namespace weir::storage {
namespace {

class HighWater : public testing::Test {
 protected:
  HighWater() : directory_(tests::MakeTempDirectory()), file_(directory_ / "high-water") {}
  ~HighWater() override { std::filesystem::remove_all(directory_); }

  std::unique_ptr<HighWaterWriter> Start(Sequence durable,
                                         HighWaterWriter::MakeDurable make_durable = nullptr) {
    if (!make_durable) make_durable = [] { return std::nullopt; };
    auto started = HighWaterWriter::Start(
        disk_, file_, {.store_id = 7, .durable = durable, .closed_at = 0, .tables = {}},
        std::move(make_durable),
        [this](const std::string& trouble) { (trouble.empty() ? recovered_ : failed_) += 1; });
    EXPECT_TRUE(started);
    return *std::move(started);
  }
  Sequence Durable() { return ReadHighWater(*MachineDisk(), file_).value().value().durable; }
  void Flip(std::size_t at) {
    std::ifstream in(file_, std::ios::binary);
    std::string bytes{std::istreambuf_iterator<char>(in), {}};
    bytes[at] = static_cast<char>(bytes[at] ^ 1);
    std::ofstream(file_, std::ios::binary).write(bytes.data(), std::ssize(bytes));
  }

  tests::FaultyDisk disk_;
  std::filesystem::path directory_;
  std::filesystem::path file_;
  std::atomic<int> failed_{0};
  std::atomic<int> recovered_{0};
};

TEST_F(HighWater, ThereMayBeNone) {
  EXPECT_FALSE(ReadHighWater(*MachineDisk(), file_).value());
}

TEST_F(HighWater, KeepsWhatItWasStartedWith) {
  Start(17);
  const auto record = ReadHighWater(*MachineDisk(), file_).value().value();
  EXPECT_EQ(record.store_id, 7u);
  EXPECT_EQ(record.durable, 17u);
  EXPECT_EQ(record.closed_at, 0u);
}

TEST_F(HighWater, IsExactAfterAClose) {
  EXPECT_TRUE(Start(17)->Close(23, 91, {.number = 5, .bytes = 700}));
  const auto record = ReadHighWater(*MachineDisk(), file_).value().value();
  EXPECT_EQ(record.durable, 23u);
  EXPECT_EQ(record.closed_at, 91u);
  EXPECT_EQ(record.tables.number, 5u);
  EXPECT_EQ(record.tables.bytes, 700u);
}

TEST_F(HighWater, FollowsTheLogWithinTheTimeItAllowsItself) {
  std::atomic<Sequence> durable{17};
  const auto writer = Start(17, [&] { return std::optional(durable.load()); });
  durable = 99;
  writer->Advanced();
  EXPECT_TRUE(tests::Eventually([&] { return Durable() == 99; }));
}

TEST_F(HighWater, DoesNotMoveWhileTheLogCannotBeMadeDurable) {
  std::atomic<int> asked{0};
  const auto writer = Start(17, [&]() -> std::optional<Sequence> {
    ++asked;
    return std::nullopt;
  });
  writer->Advanced();
  ASSERT_TRUE(tests::Eventually([&] { return asked > 0; }));
  EXPECT_EQ(Durable(), 17u);
}

TEST_F(HighWater, GoesOnAfterAWriteThatFailed) {
  std::atomic<Sequence> durable{17};
  const auto writer = Start(17, [&] { return std::optional(durable.load()); });
  disk_.FailSyncs("high-water", 3);
  durable = 99;
  writer->Advanced();
  ASSERT_TRUE(tests::Eventually([&] { return recovered_ == 1; }));
  EXPECT_EQ(failed_, 3);
  EXPECT_FALSE(writer->behind());
  EXPECT_EQ(Durable(), 99u);
}

TEST_F(HighWater, IsBehindUntilItIsWritten) {
  std::atomic<Sequence> durable{17};
  const auto writer = Start(17, [&] { return std::optional(durable.load()); });
  disk_.FailSyncs("high-water", tests::FaultyDisk::kForGood);
  durable = 99;
  writer->Advanced();
  ASSERT_TRUE(tests::Eventually([&] { return failed_ > 0; }));
  EXPECT_TRUE(writer->behind());
  disk_.FailSyncs("high-water", 0);
  EXPECT_TRUE(tests::Eventually([&] { return !writer->behind(); }));
}

TEST_F(HighWater, IsExactAfterACloseWhoseFirstWriteFailed) {
  const auto writer = Start(17);
  disk_.FailSyncs("high-water", 1);
  EXPECT_TRUE(writer->Close(23, 91, {.number = 5, .bytes = 700}));
  EXPECT_EQ(Durable(), 23u);
}

TEST_F(HighWater, SurvivesATornWriteOfTheNewestSlot) {
  ASSERT_TRUE(Start(17)->Close(23, 91, {.number = 5, .bytes = 700}));
  for (const std::size_t slot : {std::size_t{0}, std::size_t{512}}) {
    Flip(slot + 24);
    const auto record = ReadHighWater(*MachineDisk(), file_).value();
    ASSERT_TRUE(record);
    EXPECT_TRUE(record->durable == 17 || record->durable == 23);
    Flip(slot + 24);
  }
}

TEST_F(HighWater, GoesOnInTheOtherSlotAfterATornWrite) {
  ASSERT_TRUE(Start(17)->Close(23, 91, {.number = 5, .bytes = 700}));
  Flip(24);
  ASSERT_TRUE(Start(23)->Close(40, 170, {}));
  EXPECT_EQ(Durable(), 40u);
}

TEST_F(HighWater, IsDamagedWhenBothSlotsAre) {
  ASSERT_TRUE(Start(17)->Close(23, 91, {.number = 5, .bytes = 700}));
  Flip(24);
  Flip(512 + 24);
  EXPECT_FALSE(ReadHighWater(*MachineDisk(), file_));
}

TEST_F(HighWater, AnEmptyFileIsDamaged) {
  std::ofstream(file_).close();
  EXPECT_FALSE(ReadHighWater(*MachineDisk(), file_));
}

}  // namespace
}  // namespace weir::storage
