#include "engine/quarantine/quarantine.h"

#include <gtest/gtest.h>

#include "tests/support/temp_directory.h"

namespace weir::quarantine {
namespace {

constexpr std::uint64_t kBound = std::uint64_t{1} << 30;

std::unique_ptr<Entry> Sized(std::size_t bytes) {
  return std::make_unique<Entry>(Entry{.received_at_us = 1'767'225'600'000'000,
                                       .source = "shop",
                                       .reason = "invalid_signature",
                                       .request_id = {},
                                       .method = "POST",
                                       .target = "/webhooks/shop",
                                       .headers = {},
                                       .body = std::string(bytes, 'x')});
}

std::size_t Count(Shelf& shelf) {
  std::size_t count = 0;
  std::vector<Torn> torn;
  EXPECT_TRUE(shelf.Visit("", std::nullopt, torn, [&count](const Place&, const Entry&) {
    ++count;
    return true;
  }));
  EXPECT_TRUE(torn.empty());
  return count;
}

TEST(Quarantine, WritesEverythingThatWasOfferedBeforeItStops) {
  tests::TempDirectory directory;
  std::atomic<bool> storable{true};
  Quarantine quarantine(directory.path() / "quarantine", storable);
  ASSERT_TRUE(quarantine.Start());
  constexpr std::size_t kThreads = 4;
  constexpr std::size_t kEach = 200;
  std::vector<std::thread> shards;
  shards.reserve(kThreads);
  for (std::size_t i = 0; i < kThreads; ++i) {
    shards.emplace_back([&quarantine] {
      for (std::size_t n = 0; n < kEach; ++n) EXPECT_TRUE(quarantine.Offer(Sized(100), kBound));
    });
  }
  for (std::thread& shard : shards) shard.join();
  quarantine.Stop();
  EXPECT_EQ(Count(quarantine.shelf()), kThreads * kEach);
  EXPECT_EQ(quarantine.probe().kept.value(), kThreads * kEach);
}

TEST(Quarantine, DropsAndCountsWhatTheQueueHasNoRoomFor) {
  tests::TempDirectory directory;
  std::atomic<bool> storable{true};
  Quarantine quarantine(directory.path() / "quarantine", storable);  // whose writer does not run yet
  EXPECT_TRUE(quarantine.Offer(Sized(kQueueBytesMax - 1), kBound));
  EXPECT_FALSE(quarantine.Offer(Sized(100), kBound));
  EXPECT_EQ(quarantine.probe().overflowed.load(), 1U);
  ASSERT_TRUE(quarantine.Start());
  quarantine.Stop();
  EXPECT_EQ(Count(quarantine.shelf()), 1U);
  EXPECT_EQ(quarantine.probe().kept.value(), 1U);
}

TEST(Quarantine, WritesNothingWhileTheDiskHasNoRoom) {
  tests::TempDirectory directory;
  std::atomic<bool> storable{false};
  Quarantine quarantine(directory.path() / "quarantine", storable);
  EXPECT_TRUE(quarantine.Offer(Sized(100), kBound));
  ASSERT_TRUE(quarantine.Start());
  quarantine.Stop();
  EXPECT_EQ(quarantine.probe().unwritten.value(), 1U);
  EXPECT_FALSE(std::filesystem::exists(directory.path() / "quarantine"));
}

TEST(Quarantine, CountsWhatMadeRoomAndWhatNeverFits) {
  tests::TempDirectory directory;
  std::atomic<bool> storable{true};
  Quarantine quarantine(directory.path() / "quarantine", storable);
  constexpr std::uint64_t kSmall = 16u << 10;
  for (int i = 0; i < 100; ++i) quarantine.Offer(Sized(1000), kSmall);
  quarantine.Offer(Sized(100'000), kSmall);
  ASSERT_TRUE(quarantine.Start());
  quarantine.Stop();
  EXPECT_EQ(quarantine.probe().kept.value(), 100U);
  EXPECT_EQ(quarantine.probe().unwritten.value(), 1U);
  EXPECT_EQ(quarantine.probe().evicted.value(), 100 - Count(quarantine.shelf()));
}

}  // namespace
}  // namespace weir::quarantine
