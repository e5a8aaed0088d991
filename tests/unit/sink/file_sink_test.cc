#include "engine/sink/file_sink.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "engine/limits.h"
#include "engine/sink/cloud_event.h"
#include "tests/support/temp_directory.h"
#include "tests/unit/sink/sink_driver.h"

namespace weir::sink {
namespace {

class FileSinkTest : public testing::Test {
 protected:
  FileSinkTest() {
    config_.name = "archive";
    config_.kind = config::SinkKind::kFile;
    config_.path = directory_ / "out.ndjson";
  }

  std::vector<storage::Sequence> Sequences() const {
    std::ifstream in(config_.path);
    std::vector<storage::Sequence> sequences;
    for (std::string line; std::getline(in, line);) sequences.push_back(SequenceOfLine(line));
    return sequences;
  }

  tests::TempDirectory directory_;
  config::Sink config_;
};

TEST_F(FileSinkTest, WritesWhatWasStartedTogetherAsLinesInOrder) {
  SinkDriver driver(config_);
  for (std::uint64_t sequence = 1; sequence <= 100; ++sequence) driver.Start(sequence);
  const auto outcomes = driver.Finish();
  ASSERT_EQ(outcomes.size(), 100u);
  for (const Outcome& outcome : outcomes) EXPECT_EQ(outcome.result, Result::kDelivered);
  const auto sequences = Sequences();
  ASSERT_EQ(sequences.size(), 100u);
  for (std::size_t i = 0; i < 100; ++i) EXPECT_EQ(sequences[i], i + 1);
}

TEST_F(FileSinkTest, ReportsNothingBeforeItIsOnDisk) {
  SinkDriver driver(config_);
  driver.Start(1);
  EXPECT_EQ(driver.sink().InFlight(), 1u);
  EXPECT_TRUE(Sequences().empty());
  EXPECT_EQ(driver.Finish().size(), 1u);
  EXPECT_EQ(Sequences().size(), 1u);
}

TEST_F(FileSinkTest, TakesNoMoreThanABatch) {
  SinkDriver driver(config_);
  std::uint64_t sequence = 0;
  while (driver.sink().Capacity() > 0) driver.Start(++sequence, "1");
  EXPECT_EQ(sequence, limits::kFileSinkBatchEvents);
  EXPECT_EQ(driver.Finish().size(), limits::kFileSinkBatchEvents);
  driver.Start(1, std::string(limits::kFileSinkBatchBytes, '7'));
  EXPECT_EQ(driver.sink().Capacity(), 0u);
  EXPECT_EQ(driver.Finish().size(), 1u);
  EXPECT_GT(driver.sink().Capacity(), 0u);
}

// A directory stands where the file is to be begun anew: nothing was attempted, as with a file that cannot be opened at
// the start.
TEST_F(FileSinkTest, AFileThatCannotBeBegunAnewCostsNoAttemptAndTheNextBatchWorks) {
  SinkDriver driver(config_);
  ASSERT_EQ(driver.Try(1).result, Result::kDelivered);
  std::filesystem::rename(config_.path, directory_ / "moved");
  std::filesystem::create_directory(config_.path);
  driver.Start(2);
  driver.Start(3);
  const auto failed = driver.Finish();
  ASSERT_EQ(failed.size(), 2u);
  for (const Outcome& outcome : failed) {
    EXPECT_EQ(outcome.result, Result::kUnable);
    EXPECT_NE(outcome.summary, "");
  }
  std::filesystem::remove(config_.path);
  EXPECT_EQ(driver.Try(4).result, Result::kDelivered);
  EXPECT_EQ(Sequences(), std::vector<storage::Sequence>({4}));
}

}  // namespace
}  // namespace weir::sink
