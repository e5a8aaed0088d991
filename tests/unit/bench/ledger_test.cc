#include "bench/ledger.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace weir::bench {
namespace {

class Ledger : public testing::Test {
 protected:
  void SetUp() override {
    directory_ = std::filesystem::temp_directory_path() / ("weir_ledger_" + std::to_string(getpid()));
    std::filesystem::create_directories(directory_);
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }
  std::string Path() const { return directory_ / "acked.txt"; }
  std::vector<std::string> Lines() const {
    std::ifstream file(Path());
    std::vector<std::string> lines;
    for (std::string line; std::getline(file, line);) lines.push_back(line);
    return lines;
  }
  std::filesystem::path directory_;
};

TEST_F(Ledger, HasOneLineAnId) {
  LedgerWriter writer(LedgerFile::Open(Path()).value());
  writer.Add("evt_1");
  writer.Add("evt_2");
  EXPECT_TRUE(writer.Flush());
  EXPECT_EQ(Lines(), (std::vector<std::string>{"evt_1", "evt_2"}));
}

TEST_F(Ledger, ReachesTheFileAfterTheFlushTimeWithoutBeingAsked) {
  LedgerWriter writer(LedgerFile::Open(Path()).value());
  writer.Add("evt_1");
  writer.FlushIfDue(LedgerWriter::kFlushEvery_ns);
  EXPECT_EQ(Lines().size(), 1u);
  writer.Add("evt_2");
  writer.FlushIfDue(LedgerWriter::kFlushEvery_ns + 1);
  EXPECT_EQ(Lines().size(), 1u);
  writer.FlushIfDue(2 * LedgerWriter::kFlushEvery_ns);
  EXPECT_EQ(Lines().size(), 2u);
}

TEST_F(Ledger, KeepsTheLinesOfAnEarlierRun) {
  for (const char* id : {"evt_1", "evt_2"}) LedgerWriter(LedgerFile::Open(Path()).value()).Add(id);
  EXPECT_EQ(Lines().size(), 2u);
}

TEST_F(Ledger, LinesOfSeveralThreadsDoNotMix) {
  const auto file = LedgerFile::Open(Path()).value();
  constexpr int kThreads = 4;
  constexpr int kIds = 30'000;
  {
    std::vector<std::jthread> threads;
    threads.reserve(kThreads);
    for (int thread = 0; thread < kThreads; ++thread) {
      threads.emplace_back([&file, thread] {
        LedgerWriter writer(file);
        for (int i = 0; i < kIds; ++i) writer.Add("evt_" + std::to_string(thread * kIds + i));
      });
    }
  }
  const std::vector<std::string> lines = Lines();
  const std::set<std::string> unique(lines.begin(), lines.end());
  EXPECT_EQ(lines.size(), static_cast<std::size_t>(kThreads * kIds));
  EXPECT_EQ(unique.size(), lines.size());
  for (int i = 0; i < kThreads * kIds; ++i) ASSERT_TRUE(unique.contains("evt_" + std::to_string(i)));
}

TEST_F(Ledger, SaysWhenItCouldNotBeWritten) {
  LedgerWriter writer(LedgerFile::Open("/dev/full").value());
  writer.Add("evt_1");
  EXPECT_FALSE(writer.Flush());
  EXPECT_FALSE(writer.Flush());  // and does not forget it
}

TEST_F(Ledger, SaysWhyItCannotBeOpened) {
  EXPECT_EQ(LedgerFile::Open("/no/such/directory/ledger").error(),
            "/no/such/directory/ledger: No such file or directory");
}

}  // namespace
}  // namespace weir::bench
