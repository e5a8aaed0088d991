// Answers wait for what they rest on.
#include "engine/commit/acknowledger.h"

#include <gtest/gtest.h>

#include <vector>

#include "engine/io/wake.h"

namespace weir::commit {
namespace {

class AcknowledgerTest : public testing::Test {
 protected:
  void Hold(std::uint32_t request, storage::Sequence rests_on, std::uint16_t shard = 0) {
    acknowledger_.Hold(shard, {.ticket = {.request = request},
                               .unavailable = false,
                               .rests_on = rests_on,
                               .first = {.outcome = CommitOutcome::kStored, .sequence = rests_on}});
  }
  static std::vector<std::uint32_t> Posted(AckQueue& queue) {
    std::vector<std::uint32_t> requests;
    Committed answer;
    while (queue.Pop({&answer, 1}) == 1) requests.push_back(answer.ticket.request);
    return requests;
  }

  io::EventfdWake wake_;
  AckQueue one_{wake_};
  AckQueue two_{wake_};
  Acknowledger acknowledger_{{&one_, &two_}};
};

using Requests = std::vector<std::uint32_t>;

TEST_F(AcknowledgerTest, PostsNothingBeforeItIsReleased) {
  Hold(1, 5);
  EXPECT_EQ(Posted(one_), Requests());
  EXPECT_TRUE(acknowledger_.holds_any());
}

TEST_F(AcknowledgerTest, PostsWhatIsDurableEnoughInTheOrderOfTheCommits) {
  Hold(1, 5);
  Hold(2, 6);
  Hold(3, 7);
  acknowledger_.Release(6);
  EXPECT_EQ(Posted(one_), (Requests{1, 2}));
  acknowledger_.Release(7);
  EXPECT_EQ(Posted(one_), Requests{3});
  EXPECT_FALSE(acknowledger_.holds_any());
}

// Its first copy may be further than what is released.
TEST_F(AcknowledgerTest, HoldsADuplicateForItsFirstCopy) {
  Hold(1, 9);
  acknowledger_.Release(8);
  EXPECT_EQ(Posted(one_), Requests());
}

TEST_F(AcknowledgerTest, PostsARefusalWithoutWaiting) {
  Hold(1, 9);
  Hold(2, storage::kNoSequence);
  acknowledger_.Release(0);
  EXPECT_EQ(Posted(one_), Requests{2});
}

TEST_F(AcknowledgerTest, PostsToTheShardThatHandedItIn) {
  Hold(1, 1);
  Hold(2, 2, 1);
  acknowledger_.Release(2);
  EXPECT_EQ(Posted(one_), Requests{1});
  EXPECT_EQ(Posted(two_), Requests{2});
}

}  // namespace
}  // namespace weir::commit
