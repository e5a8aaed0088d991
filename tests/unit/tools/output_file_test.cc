#include "tools/output_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "tests/support/temp_directory.h"
namespace weir::tools {
namespace {

using testing::HasSubstr;

class OutputFileTest : public testing::Test {
 protected:
  std::string Content() const {
    std::ostringstream text;
    text << std::ifstream(path_).rdbuf();
    return text.str();
  }
  std::size_t FilesThere() const {
    return static_cast<std::size_t>(
        std::distance(std::filesystem::directory_iterator(directory_.path()), {}));
  }

  tests::TempDirectory directory_;
  std::filesystem::path path_ = directory_ / "out";
};

TEST_F(OutputFileTest, AppearsWholeWhenItIsCommitted) {
  std::ofstream(path_) << "old";
  auto file = OutputFile::Replace(path_);
  ASSERT_TRUE(file);
  ASSERT_TRUE(file->Write("new"));
  EXPECT_EQ(Content(), "old");
  ASSERT_TRUE(file->Commit());
  EXPECT_EQ(Content(), "new");
  EXPECT_EQ(FilesThere(), 1u);
}

TEST_F(OutputFileTest, LeavesNoTraceWhenItIsNot) {
  std::ofstream(path_) << "old";
  {
    auto file = OutputFile::Replace(path_);
    ASSERT_TRUE(file);
    ASSERT_TRUE(file->Write("half"));
  }
  EXPECT_EQ(Content(), "old");
  EXPECT_EQ(FilesThere(), 1u);
}

TEST_F(OutputFileTest, GrowsAndIsCutBack) {
  {
    auto file = OutputFile::Append(path_);
    ASSERT_TRUE(file);
    ASSERT_TRUE(file->Write("one two"));
    EXPECT_EQ(file->bytes(), 7u);
  }
  auto file = OutputFile::Append(path_);
  ASSERT_TRUE(file);
  ASSERT_TRUE(file->CutBack(4));
  ASSERT_TRUE(file->Write("three"));
  EXPECT_EQ(Content(), "one three");
  EXPECT_EQ(file->bytes(), 9u);
}

TEST_F(OutputFileTest, IsWrittenByOneAtATime) {
  const auto first = OutputFile::Append(path_);
  ASSERT_TRUE(first);
  const auto second = OutputFile::Append(path_);
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error(), HasSubstr("another export writes this file"));
}

TEST_F(OutputFileTest, NeverReplacesADeviceOrADirectory) {
  EXPECT_FALSE(OutputFile::Replace("/dev/null"));
  EXPECT_FALSE(OutputFile::Append("/dev/null"));
  EXPECT_FALSE(OutputFile::Replace(directory_));
}

}  // namespace
}  // namespace weir::tools
