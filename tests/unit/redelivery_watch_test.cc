#include "engine/redelivery_watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weir {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

constexpr std::int64_t kMinuteMs = 60'000;

class Redeliveries : public testing::Test {
 protected:
  std::vector<RedeliveryWatch::Notice> Look(std::int64_t now_ms) {
    return watch_.Look(
        {&shards_[0], &shards_[1]}, [](const std::string& source) { return source != "quiet"; }, now_ms);
  }
  void Repeat(std::int64_t sequence, std::size_t shard = 0, const std::string& source = "shop") {
    shards_[shard].ForSource(source).duplicates.Add();
    shards_[shard].ForSource(source).last_duplicate.Set(sequence);
  }

  observe::ShardProbe shards_[2];
  RedeliveryWatch watch_;
};

TEST_F(Redeliveries, AreSaidAtOnceWhicheverShardMetThem) {
  EXPECT_THAT(Look(0), IsEmpty());
  Repeat(7, 0);
  Repeat(9, 1);
  const auto notices = Look(1);
  ASSERT_THAT(notices, SizeIs(1));
  EXPECT_EQ(notices[0].source, "shop");
  EXPECT_EQ(notices[0].count, 2u);
  EXPECT_EQ(notices[0].sequence, 9);
}

TEST_F(Redeliveries, AreSaidOnceAnHourAndASourceAndNoneIsLostFromTheCount) {
  std::uint64_t told = 0;
  int lines = 0;
  for (std::int64_t minute = 0; minute < 150; ++minute) {
    Repeat(1);
    for (const auto& notice : Look(minute * kMinuteMs)) {
      ++lines;
      told += notice.count;
    }
  }
  EXPECT_EQ(lines, 3);
  for (const auto& notice : Look(180 * kMinuteMs)) told += notice.count;
  EXPECT_EQ(told, 150u);
  EXPECT_THAT(Look(300 * kMinuteMs), IsEmpty()) << "nothing came";
}

TEST_F(Redeliveries, OfOneSourceDoNotSilenceThoseOfAnother) {
  Repeat(1);
  Look(0);
  Repeat(2, 0, "zoo");
  EXPECT_THAT(Look(1), SizeIs(1));
}

TEST_F(Redeliveries, AreNotSaidWhereNobodyCanAskForThem) {
  Repeat(1, 0, "quiet");
  EXPECT_THAT(Look(0), IsEmpty());
}

}  // namespace
}  // namespace weir
