// Where a sink begins that the store has not seen, and that it stays so.
#include "engine/deliver/sink_start.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "engine/config/start.h"
#include "tests/unit/deliver/worker_fixture.h"

namespace weir::deliver {
namespace {

// Events of the fixture are all received at this moment.
constexpr std::int64_t kReceivedUs = 1'767'225'600'000'000;
constexpr std::int64_t kNowUs = kReceivedUs + std::int64_t{3'600} * 1'000'000;

class SinkStartTest : public WorkerTest {
 protected:
  std::expected<SinkStart, std::string> Find(const std::string& start) {
    sink_.start = config::ParseStart(start).value();
    auto found = FindSinkStarts(*store_, {&sink_, 1}, kNowUs);
    if (!found) return std::unexpected(found.error());
    return found->front();
  }
};

TEST_F(SinkStartTest, EachWayToStart) {
  AppendMany(0, 10);
  const std::vector<std::pair<std::string, Sequence>> first_of = {{"now", 11},
                                                                  {"beginning", 1},
                                                                  {"-2h", 1},
                                                                  {"-30m", 11},
                                                                  {"2026-01-01T00:00:00Z", 1},
                                                                  {"2026-01-01T00:00:01Z", 11}};
  for (const auto& [start, first] : first_of) {
    const auto found = Find(start);
    ASSERT_TRUE(found) << start << ": " << found.error();
    EXPECT_EQ(found->first, first) << start;
    EXPECT_EQ(found->before, first - 1) << start;
    EXPECT_EQ(found->waiting, 11 - first) << start;
    EXPECT_FALSE(found->known);
  }
}

TEST_F(SinkStartTest, StoreWithoutEventsHasNothingToSkipOrToSay) {
  for (const std::string start : {"now", "beginning", "-2h"}) {
    const auto found = Find(start);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->first, 1u);
    EXPECT_EQ(Describe(*found), "");
  }
}

TEST_F(SinkStartTest, FutureIsRefused) {
  EXPECT_FALSE(Find("2026-01-01T01:00:01Z"));
  EXPECT_TRUE(Find("2026-01-01T01:00:00Z"));
}

TEST_F(SinkStartTest, OnceBegunItIsKnownAndTheStartIsNotLookedAt) {
  AppendMany(0, 10);
  ASSERT_TRUE(BeginNewSinks(*store_, std::vector{*Find("now")}));
  AppendMany(10, 5);
  OpenStore();
  const auto found = Find("beginning");
  ASSERT_TRUE(found);
  EXPECT_TRUE(found->known);
  EXPECT_EQ(found->first, 11u) << "no later now";
  EXPECT_EQ(found->waiting, 5u);
}

TEST_F(SinkStartTest, BeginningAgainMovesNobody) {
  AppendMany(0, 10);
  ASSERT_TRUE(BeginNewSinks(*store_, std::vector{*Find("now")}));
  AppendMany(10, 5);
  ASSERT_TRUE(BeginNewSinks(*store_, std::vector{*Find("now")}));
  EXPECT_EQ(StoredOffset(), 10u);
}

TEST_F(SinkStartTest, BegunWithNowIsSentWhatCameAfterwardsAlone) {
  AppendMany(0, 10);
  ASSERT_TRUE(BeginNewSinks(*store_, std::vector{*Find("now")}));
  AppendMany(10, 5);
  ScriptedPeer peer;
  Run(peer);
  ASSERT_TRUE(OffsetReachesTheEnd());
  const auto counts = CountsById(peer);
  EXPECT_EQ(counts.size(), 5u);
  EXPECT_TRUE(counts.contains("evt_10") && counts.contains("evt_14"));
}

TEST(DescribeStart, SaysWhatIsNotSentAndHowItWouldBe) {
  EXPECT_EQ(
      Describe({.sink = "billing", .first = 11, .before = 10, .waiting = 0}),
      "sink billing is new: starts at sequence 11, 10 events of the log are not sent; start = \"beginning\" "
      "would send them");
  EXPECT_EQ(Describe({.sink = "billing", .first = 1, .before = 0, .waiting = 10}),
            "sink billing is new: starts at sequence 1, 10 events of the log are sent first");
  EXPECT_EQ(Describe({.sink = "billing", .first = 1, .before = 0, .waiting = 1}),
            "sink billing is new: starts at sequence 1, 1 event of the log is sent first");
}

}  // namespace
}  // namespace weir::deliver
