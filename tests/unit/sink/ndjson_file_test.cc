#include "engine/sink/ndjson_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "engine/limits.h"
#include "tests/support/temp_directory.h"

namespace weir::sink {
namespace {

namespace fs = std::filesystem;

class NdjsonFileTest : public testing::Test {
 protected:
  NdjsonFileTest() { options_.path = directory_ / "out.ndjson"; }

  NdjsonFile Open() {
    auto file = NdjsonFile::Open(options_);
    EXPECT_TRUE(file) << file.error();
    return std::move(*file);
  }
  static std::string LineOf(storage::Sequence sequence, std::size_t padding = 0) {
    return R"({"specversion":"1.0","weirsequence":)" + std::to_string(sequence) + R"(,"data":")" +
           std::string(padding, 'x') + "\"}\n";
  }
  static std::expected<void, std::string> Append(NdjsonFile& file, storage::Sequence sequence,
                                                 std::size_t padding = 0) {
    const std::string line = LineOf(sequence, padding);
    return file.Append({.lines = line, .first = sequence, .last = sequence}, std::time(nullptr));
  }
  std::string Content(const fs::path& name = "out.ndjson") const {
    std::ifstream in(directory_ / name, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  void Damage(const std::string& content) const {
    std::ofstream(options_.path, std::ios::binary | std::ios::trunc) << content;
  }
  std::vector<std::string> Files() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(directory_.path()))
      names.push_back(entry.path().filename());
    std::ranges::sort(names);
    return names;
  }

  tests::TempDirectory directory_;
  NdjsonFile::Options options_;
};

TEST_F(NdjsonFileTest, AppendsAcrossOpens) {
  {
    NdjsonFile file = Open();
    ASSERT_TRUE(Append(file, 1));
  }
  NdjsonFile file = Open();
  ASSERT_TRUE(Append(file, 2));
  EXPECT_EQ(Content(), LineOf(1) + LineOf(2));
}

TEST_F(NdjsonFileTest, TornLastLineIsCutWhereverItIsTorn) {
  const std::string torn = LineOf(3);
  for (std::size_t size = 1; size + 1 < torn.size(); ++size) {
    Damage(LineOf(1) + LineOf(2) + torn.substr(0, size));
    NdjsonFile file = Open();
    ASSERT_EQ(Content(), LineOf(1) + LineOf(2)) << size;
    ASSERT_TRUE(Append(file, 3));
    ASSERT_EQ(Content(), LineOf(1) + LineOf(2) + LineOf(3)) << size;
  }
}

TEST_F(NdjsonFileTest, FileOfOneTornLineOfOursBecomesEmpty) {
  Damage(R"({"specversion":"1.0","weirsequence":3)");
  Open();
  EXPECT_EQ(Content(), "");
}

TEST_F(NdjsonFileTest, TornLineLongerThanABatchIsCut) {
  const std::string torn = LineOf(2, 3 * limits::kFileSinkBatchBytes);
  Damage(LineOf(1) + torn.substr(0, torn.size() - 2));
  Open();
  EXPECT_EQ(Content(), LineOf(1));
}

TEST_F(NdjsonFileTest, BlocksThatNeverArrivedAreCut) {
  Damage(LineOf(1) + std::string(4096, '\0') + LineOf(3));
  Open();
  EXPECT_EQ(Content(), LineOf(1));
  Damage(LineOf(1) + LineOf(2).substr(0, 20) + std::string(4096, '\0'));
  Open();
  EXPECT_EQ(Content(), LineOf(1));
}

TEST_F(NdjsonFileTest, WholeLineWithoutItsLineBreakIsKept) {
  Damage(LineOf(1) + LineOf(2).substr(0, LineOf(2).size() - 1));
  Open();
  EXPECT_EQ(Content(), LineOf(1) + LineOf(2));
}

// Never what it did not write: an end without a line break gets one.
TEST_F(NdjsonFileTest, WhatSomebodyElseWroteIsKept) {
  for (const std::string& content :
       {std::string("notes"), std::string("a\nb\nc"), std::string(R"({"a":1})"), std::string("[1,2"),
        std::string("{"), std::string(R"({"specversion":"1.0","id":"e1")"), LineOf(1) + "echo -n",
        LineOf(1) + R"({"other":1)", std::string("\r"), std::string(3 * limits::kFileSinkBatchBytes, 'x')}) {
    Damage(content);
    NdjsonFile file = Open();
    ASSERT_TRUE(Append(file, 7));
    EXPECT_TRUE(Content() == content + "\n" + LineOf(7)) << content.substr(0, 60);
  }
}

TEST_F(NdjsonFileTest, FileThatIsNoTextIsRefusedAndKept) {
  for (const std::string& content : {std::string("SQLite format 3\0\x10", 17), std::string(8192, '\0'),
                                     "text\n" + std::string(10, '\0') + "text\n"}) {
    Damage(content);
    const auto file = NdjsonFile::Open(options_);
    ASSERT_FALSE(file);
    EXPECT_THAT(file.error(), testing::HasSubstr("did not write"));
    EXPECT_EQ(Content(), content);
  }
}

TEST_F(NdjsonFileTest, WhatSomebodyElseAppendsMeanwhileIsKept) {
  NdjsonFile file = Open();
  ASSERT_TRUE(Append(file, 1));
  std::ofstream(options_.path, std::ios::app) << "note";
  ASSERT_TRUE(Append(file, 2));
  EXPECT_EQ(Content(), LineOf(1) + "note\n" + LineOf(2));
}

TEST_F(NdjsonFileTest, FileThatSomebodyElseCutGoesOnFromItsEnd) {
  NdjsonFile file = Open();
  ASSERT_TRUE(Append(file, 1));
  fs::resize_file(options_.path, 0);
  ASSERT_TRUE(Append(file, 2));
  EXPECT_EQ(Content(), LineOf(2));
}

TEST_F(NdjsonFileTest, RotationThroughALinkMovesTheFileItself) {
  fs::create_directory(directory_ / "disk");
  fs::create_symlink(directory_ / "disk" / "real.ndjson", options_.path);
  options_.rotate_bytes = 1;
  NdjsonFile file = Open();
  ASSERT_TRUE(Append(file, 1));
  ASSERT_TRUE(Append(file, 2));
  EXPECT_TRUE(fs::is_symlink(options_.path));
  EXPECT_EQ(Content("disk/real.ndjson"), LineOf(2));
  EXPECT_EQ(Content("disk/real-00000000000000000001-00000000000000000001.ndjson"), LineOf(1));
}

TEST_F(NdjsonFileTest, SecondOpenThroughAHardLinkIsRefused) {
  NdjsonFile file = Open();
  fs::create_hard_link(options_.path, directory_ / "other.ndjson");
  options_.path = directory_ / "other.ndjson";
  EXPECT_FALSE(NdjsonFile::Open(options_));
}

TEST_F(NdjsonFileTest, SecondOpenIsRefused) {
  NdjsonFile file = Open();
  const auto second = NdjsonFile::Open(options_);
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error(), testing::HasSubstr("in use"));
}

TEST_F(NdjsonFileTest, PathThatCannotBeAFileIsRefused) {
  options_.path = directory_ / "missing" / "out.ndjson";
  EXPECT_FALSE(NdjsonFile::Open(options_));
  options_.path = directory_;
  EXPECT_FALSE(NdjsonFile::Open(options_));
  options_.path = "/dev/null";
  EXPECT_FALSE(NdjsonFile::Open(options_));
}

TEST_F(NdjsonFileTest, RotatesBySizeUnderTheSequencesItHolds) {
  options_.rotate_bytes = 100;
  NdjsonFile file = Open();
  for (storage::Sequence sequence = 7; sequence <= 10; ++sequence) ASSERT_TRUE(Append(file, sequence, 50));
  EXPECT_EQ(Files(),
            std::vector<std::string>({"out-00000000000000000007-00000000000000000008.ndjson", "out.ndjson"}));
  EXPECT_EQ(Content("out-00000000000000000007-00000000000000000008.ndjson"), LineOf(7, 50) + LineOf(8, 50));
  EXPECT_EQ(Content(), LineOf(9, 50) + LineOf(10, 50));
}

TEST_F(NdjsonFileTest, RotatedNameIsRightAfterARestart) {
  {
    NdjsonFile file = Open();
    for (storage::Sequence sequence = 7; sequence <= 9; ++sequence)
      ASSERT_TRUE(Append(file, sequence, 200'000));
  }
  options_.rotate_bytes = 1;
  NdjsonFile file = Open();
  ASSERT_TRUE(Append(file, 10));
  EXPECT_EQ(Files().front(), "out-00000000000000000007-00000000000000000009.ndjson");
}

TEST_F(NdjsonFileTest, NeverOverwritesAnEarlierPiece) {
  options_.rotate_bytes = 1;
  NdjsonFile file = Open();
  for (int again = 0; again < 3; ++again) ASSERT_TRUE(Append(file, 5));
  EXPECT_EQ(Files(),
            std::vector<std::string>({"out-00000000000000000005-00000000000000000005-1.ndjson",
                                      "out-00000000000000000005-00000000000000000005.ndjson", "out.ndjson"}));
}

TEST_F(NdjsonFileTest, RotatesByAgeAtTheNextWrite) {
  options_.rotate_age_s = 60;
  NdjsonFile file = Open();
  const std::int64_t now_s = std::time(nullptr);
  const std::string line = LineOf(1);
  const NdjsonFile::Batch batch{.lines = line, .first = 1, .last = 1};
  ASSERT_TRUE(file.Append(batch, now_s));
  ASSERT_TRUE(file.Append(batch, now_s + 59));
  EXPECT_EQ(Files().size(), 1u);
  ASSERT_TRUE(file.Append(batch, now_s + 61));
  EXPECT_EQ(Files().size(), 2u);
}

TEST_F(NdjsonFileTest, FileMovedAwayOrDeletedIsBegunAnew) {
  NdjsonFile file = Open();
  ASSERT_TRUE(Append(file, 1));
  fs::rename(options_.path, directory_ / "taken");
  ASSERT_TRUE(Append(file, 2));
  EXPECT_EQ(Content("taken"), LineOf(1));
  EXPECT_EQ(Content(), LineOf(2));
  fs::remove(options_.path);
  ASSERT_TRUE(Append(file, 3));
  EXPECT_EQ(Content(), LineOf(3));
}

// The kernel refuses to grow the file past RLIMIT_FSIZE, as a full disk would: part of the batch is written,
// then EFBIG.
TEST_F(NdjsonFileTest, FailedWriteLeavesNothingOfItsBatchAndTheNextOneWorks) {
  std::signal(SIGXFSZ, SIG_IGN);
  NdjsonFile file = Open();
  ASSERT_TRUE(Append(file, 1));
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  const rlimit small{.rlim_cur = 1'000, .rlim_max = before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  const auto refused = Append(file, 2, 5'000);
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error(), testing::HasSubstr("EFBIG"));
  EXPECT_EQ(Content(), LineOf(1));
  ASSERT_TRUE(Append(file, 2, 5'000));
  EXPECT_EQ(Content(), LineOf(1) + LineOf(2, 5'000));
}

}  // namespace
}  // namespace weir::sink
