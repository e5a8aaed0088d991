#include "engine/config/file_place.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/support/temp_directory.h"

namespace weir::config {
namespace {

namespace fs = std::filesystem;

class FilePlaceTest : public testing::Test {
 protected:
  FilePlaceTest() {
    fs::create_directories(data_ / "log");
    fs::create_directory(root_ / "out");
  }

  tests::TempDirectory directory_;
  fs::path root_ = fs::canonical(directory_.path());
  fs::path data_ = root_ / "data";
};

TEST_F(FilePlaceTest, ADirectoryHoldsItselfAndWhatIsInIt) {
  EXPECT_TRUE(LiesWithin(data_, data_));
  EXPECT_TRUE(LiesWithin(data_ / "out.ndjson", data_));
  EXPECT_TRUE(LiesWithin(data_ / "log" / "new" / "out.ndjson", data_));
  EXPECT_TRUE(LiesWithin(data_ / "out.ndjson", data_ / ""));
}

TEST_F(FilePlaceTest, ADirectoryHoldsNothingBesideIt) {
  EXPECT_FALSE(LiesWithin(root_ / "out.ndjson", data_));
  EXPECT_FALSE(LiesWithin(root_ / "data.ndjson", data_));
  EXPECT_FALSE(LiesWithin(root_ / "data2" / "out.ndjson", data_));
  EXPECT_FALSE(LiesWithin(root_, data_));
}

TEST_F(FilePlaceTest, DotsAreResolvedWhereTheyStand) {
  EXPECT_TRUE(LiesWithin(root_ / "out" / ".." / "data" / "out.ndjson", data_));
  EXPECT_FALSE(LiesWithin(data_ / ".." / "out.ndjson", data_));
  EXPECT_TRUE(LiesWithin(root_ / "data" / "." / "out.ndjson", root_ / "." / "data"));
}

TEST_F(FilePlaceTest, LinksAreFollowedOnBothSides) {
  fs::create_symlink(data_, root_ / "link");
  EXPECT_TRUE(LiesWithin(root_ / "link" / "out.ndjson", data_));
  EXPECT_TRUE(LiesWithin(data_ / "out.ndjson", root_ / "link"));
  fs::create_symlink("data/log/out.ndjson", root_ / "dangling");
  EXPECT_TRUE(LiesWithin(root_ / "dangling", data_));
  fs::create_symlink("../out", data_ / "away");
  EXPECT_FALSE(LiesWithin(data_ / "away" / "out.ndjson", data_));
}

TEST_F(FilePlaceTest, LinksThatLeadInACircleEnd) {
  fs::create_symlink("b", root_ / "a");
  fs::create_symlink("a", root_ / "b");
  EXPECT_FALSE(LiesWithin(root_ / "a", data_));
}

TEST_F(FilePlaceTest, HardLinkToAFileWithinIsWithin) {
  std::ofstream(data_ / "log" / "CURRENT") << "x";
  fs::create_hard_link(data_ / "log" / "CURRENT", root_ / "out.ndjson");
  EXPECT_TRUE(LiesWithin(root_ / "out.ndjson", data_));
  std::ofstream(root_ / "plain") << "x";
  fs::create_hard_link(root_ / "plain", root_ / "plain2");
  EXPECT_FALSE(LiesWithin(root_ / "plain2", data_));
}

TEST_F(FilePlaceTest, DataDirectoryThatIsNotThereYetHoldsItsPlace) {
  EXPECT_TRUE(LiesWithin(root_ / "later" / "out.ndjson", root_ / "later"));
  EXPECT_FALSE(LiesWithin(root_ / "out.ndjson", root_ / "later"));
}

TEST_F(FilePlaceTest, LinkOnTheWayToADirectoryThatIsNotThereYetIsFollowed) {
  fs::create_symlink(root_ / "later", root_ / "link");
  EXPECT_TRUE(LiesWithin(root_ / "link" / "out.ndjson", root_ / "later"));
}

TEST_F(FilePlaceTest, OneFileByTwoNames) {
  std::ofstream(root_ / "a") << "x";
  fs::create_hard_link(root_ / "a", root_ / "b");
  fs::create_symlink("a", root_ / "c");
  fs::create_symlink("new", root_ / "d");
  EXPECT_TRUE(IsSameFile(root_ / "a", root_ / "b"));
  EXPECT_TRUE(IsSameFile(root_ / "a", root_ / "c"));
  EXPECT_TRUE(IsSameFile(root_ / "new", root_ / "d"));
  EXPECT_TRUE(IsSameFile(root_ / "new", root_ / "out" / ".." / "new"));
  EXPECT_FALSE(IsSameFile(root_ / "a", root_ / "new"));
}

}  // namespace
}  // namespace weir::config
