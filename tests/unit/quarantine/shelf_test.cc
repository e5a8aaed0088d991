#include "engine/quarantine/shelf.h"

#include <gtest/gtest.h>

#include <fstream>
#include <set>

#include "tests/support/temp_directory.h"

namespace weir::quarantine {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;
constexpr std::int64_t kStartUs = 1'767'225'600'000'000;

class ShelfTest : public ::testing::Test {
 protected:
  static Entry Numbered(int number, std::size_t body_bytes = 100, const std::string& source = "shop") {
    return {.received_at_us = kStartUs + number,
            .source = source,
            .reason = "invalid_signature",
            .request_id = {},
            .method = "POST",
            .target = "/webhooks/" + source + "?n=" + std::to_string(number),
            .headers = "X-Sig: abc\r\n",
            .body = std::string(body_bytes, 'x')};
  }
  void Add(int number, std::size_t body_bytes = 100, std::uint64_t bound = kMiB) {
    const auto added = shelf_->Add(Numbered(number, body_bytes), bound);
    ASSERT_TRUE(added) << added.error();
    EXPECT_TRUE(added->kept);
    evicted_ += added->evicted;
  }
  std::vector<int> Numbers(const std::string& source = "") {
    std::vector<int> numbers;
    places_.clear();
    torn_.clear();
    EXPECT_TRUE(shelf_->Visit(source, std::nullopt, torn_, [&](const Place& place, const Entry& entry) {
      numbers.push_back(static_cast<int>(entry.received_at_us - kStartUs));
      places_.push_back(place);
      return true;
    }));
    return numbers;
  }
  void Reopen() { shelf_ = std::make_unique<Shelf>(directory_.path() / "quarantine"); }
  std::vector<fs::path> Segments() const {
    std::set<fs::path> sorted;
    for (const auto& file : fs::directory_iterator(directory_.path() / "quarantine" / "shop"))
      sorted.insert(file.path());
    return {sorted.begin(), sorted.end()};
  }
  std::uint64_t BytesOnDisk() const {
    std::uint64_t bytes = 0;
    for (const fs::path& path : Segments()) bytes += fs::file_size(path);
    return bytes;
  }

  tests::TempDirectory directory_;
  std::unique_ptr<Shelf> shelf_ = std::make_unique<Shelf>(directory_.path() / "quarantine");
  std::vector<Place> places_;
  std::vector<Torn> torn_;
  std::uint64_t evicted_ = 0;
};

TEST_F(ShelfTest, KeepsEntriesInOrderOverARestart) {
  Add(1);
  Add(2);
  Reopen();
  Add(3);
  EXPECT_EQ(Numbers(), (std::vector{1, 2, 3}));
  EXPECT_TRUE(torn_.empty());
  EXPECT_EQ(Segments().size(), 2U);
  EXPECT_EQ(shelf_->bytes(), BytesOnDisk());
  EXPECT_EQ(shelf_->Find(places_[1])->target, "/webhooks/shop?n=2");
}

TEST_F(ShelfTest, GoesOnBehindAnEntry) {
  for (int i = 1; i <= 4; ++i) Add(i);
  Numbers();
  std::vector<std::string> seen;
  ASSERT_TRUE(shelf_->Visit("", places_[1], torn_, [&seen](const Place&, const Entry& entry) {
    seen.push_back(entry.target);
    return false;
  }));
  EXPECT_EQ(seen, std::vector<std::string>{"/webhooks/shop?n=3"});
}

TEST_F(ShelfTest, KeepsSourcesApart) {
  Add(1);
  ASSERT_TRUE(shelf_->Add(Numbered(2, 100, "other"), kMiB));
  EXPECT_EQ(Numbers("other"), std::vector{2});
  EXPECT_EQ(Numbers("shop"), std::vector{1});
  EXPECT_EQ(Numbers("absent"), std::vector<int>{});
  EXPECT_EQ(Numbers(), (std::vector{2, 1}));
}

TEST_F(ShelfTest, DropsTheOldestAndNeverPassesItsBound) {
  constexpr std::uint64_t kBound = 64u << 10;
  for (int i = 1; i <= 200; ++i) {
    Add(i, 1000, kBound);
    ASSERT_LE(BytesOnDisk(), kBound);
  }
  const std::vector<int> left = Numbers();
  ASSERT_GT(left.size(), 40U);
  EXPECT_EQ(left.back(), 200);
  EXPECT_EQ(left.front(), 200 - static_cast<int>(left.size()) + 1);
  EXPECT_EQ(evicted_, 200 - left.size());
  EXPECT_EQ(shelf_->bytes(), BytesOnDisk());
}

TEST_F(ShelfTest, AppliesASmallerBoundToWhatIsThere) {
  for (int i = 1; i <= 50; ++i) Add(i, 1000, 64u << 10);
  Reopen();
  Add(51, 1000, 16u << 10);
  EXPECT_LE(BytesOnDisk(), 16U * 1024);
  EXPECT_EQ(Numbers().back(), 51);
}

TEST_F(ShelfTest, RefusesAnEntryPastItsBoundAndLosesNothingForIt) {
  Add(1);
  const auto added = shelf_->Add(Numbered(2, 2 * kMiB), kMiB);
  ASSERT_TRUE(added);
  EXPECT_FALSE(added->kept);
  EXPECT_EQ(Numbers(), std::vector{1});
}

TEST_F(ShelfTest, RemovesAnEntryForGoodAndAnEmptySegmentWithTheLast) {
  Add(1);
  Add(2);
  Numbers();
  const Place first = places_[0];
  const Place second = places_[1];
  EXPECT_EQ(shelf_->Remove(first), true);
  EXPECT_EQ(shelf_->Remove(first), false);
  EXPECT_FALSE(shelf_->Find(first));
  Reopen();
  EXPECT_EQ(Numbers(), std::vector{2});
  EXPECT_EQ(shelf_->Remove(second), true);
  EXPECT_TRUE(Segments().empty());
  EXPECT_EQ(shelf_->bytes(), 0U);
  Add(3);
  EXPECT_EQ(Numbers(), std::vector{3});
  EXPECT_NE(places_[0], first);
}

TEST_F(ShelfTest, PassesOverATornEndAndSaysSo) {
  Add(1);
  Add(2);
  const fs::path segment = Segments().front();
  fs::resize_file(segment, fs::file_size(segment) - 1);
  Reopen();
  EXPECT_EQ(Numbers(), std::vector{1});
  ASSERT_EQ(torn_.size(), 1U);
  EXPECT_EQ(torn_[0].source, "shop");
  EXPECT_EQ(torn_[0].offset + torn_[0].bytes, fs::file_size(segment));
  Add(3);  // into a segment of its own
  EXPECT_EQ(Numbers(), (std::vector{1, 3}));
}

TEST_F(ShelfTest, PassesOverADamagedEntryAndReadsTheNext) {
  Add(1);
  Add(2);
  Add(3);
  Numbers();
  {
    std::fstream file(Segments().front(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(places_[1].offset) + 30);
    file.put('!');
  }
  EXPECT_EQ(Numbers(), (std::vector{1, 3}));
  EXPECT_EQ(torn_.size(), 1U);
}

TEST_F(ShelfTest, IsReadableByItsOwnerAlone) {
  Add(1);
  const auto others = fs::perms::group_all | fs::perms::others_all;
  EXPECT_EQ(fs::status(Segments().front()).permissions() & others, fs::perms::none);
  EXPECT_EQ(fs::status(directory_.path() / "quarantine").permissions() & others, fs::perms::none);
}

TEST_F(ShelfTest, SaysWhatTheDiskSaid) {
  std::ofstream(directory_.path() / "quarantine") << "a file where the directory should be";
  const auto added = shelf_->Add(Numbered(1), kMiB);
  ASSERT_FALSE(added);
  EXPECT_NE(added.error().find("cannot be made"), std::string::npos) << added.error();
}

}  // namespace
}  // namespace weir::quarantine
