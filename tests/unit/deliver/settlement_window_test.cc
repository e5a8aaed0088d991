#include "engine/deliver/settlement_window.h"

#include <gtest/gtest.h>

#include <random>
#include <set>
#include <vector>

namespace weir::deliver {
namespace {

using storage::Sequence;
using Above = std::vector<Sequence>;

TEST(SettlementWindow, OffsetPassesOnlyWhatIsSettledWithoutAGap) {
  SettlementWindow window({.offset = 10, .above = {}});
  window.Settle(12);
  EXPECT_EQ(window.offset(), 10u);
  EXPECT_EQ(window.Position().above, Above({12}));
  window.Settle(11);
  EXPECT_EQ(window.offset(), 12u);
  EXPECT_TRUE(window.Position().above.empty());
}

TEST(SettlementWindow, KeepsWhereItsSinkBegan) {
  SettlementWindow window({.offset = 10, .above = {}, .began = 7});
  window.Settle(11);
  EXPECT_EQ(window.Position().began, 7u);
}

TEST(SettlementWindow, KnowsWhatIsSettled) {
  SettlementWindow window({.offset = 10, .above = {12, 15}});
  for (const Sequence settled : {1u, 10u, 12u, 15u}) EXPECT_TRUE(window.IsSettled(settled)) << settled;
  for (const Sequence open : {11u, 13u, 14u, 16u, 20'000u}) EXPECT_FALSE(window.IsSettled(open)) << open;
}

TEST(SettlementWindow, HasRoomForExactlyItsWidth) {
  SettlementWindow window({.offset = 7, .above = {}});
  EXPECT_TRUE(window.HasRoomFor(7 + limits::kSettledAboveMax));
  EXPECT_FALSE(window.HasRoomFor(8 + limits::kSettledAboveMax));
  window.Settle(7 + limits::kSettledAboveMax);
  EXPECT_FALSE(window.IsSettled(8)) << "the last place is not the first one";
}

TEST(SettlementWindow, FullWindowDrainsWhenItsFirstSettles) {
  SettlementWindow window({});
  for (Sequence sequence = 2; sequence <= limits::kSettledAboveMax; ++sequence) window.Settle(sequence);
  EXPECT_EQ(window.settled_above(), limits::kSettledAboveMax - 1);
  window.Settle(1);
  EXPECT_EQ(window.offset(), limits::kSettledAboveMax);
  EXPECT_EQ(window.settled_above(), 0u);
  EXPECT_FALSE(window.IsSettled(limits::kSettledAboveMax + 1)) << "a bit of the last round was left behind";
}

TEST(SettlementWindow, ForgetsStoredEntriesThatDoNotFit) {
  SettlementWindow window({.offset = 0, .above = {3, limits::kSettledAboveMax + 1}});
  EXPECT_EQ(window.Position().above, Above({3}));
}

TEST(SettlementWindow, StoredEntryRightAboveTheOffsetMovesIt) {
  EXPECT_EQ(SettlementWindow({.offset = 4, .above = {5, 6, 8}}).offset(), 6u);
}

// Against a plain set, over random orders: sequences are settled in any order within the window, and the
// window is saved and loaded in between.
TEST(SettlementWindow, AgreesWithASetWhateverTheOrder) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    std::mt19937_64 random(seed);
    const Sequence start = random() % 100'000;
    SettlementWindow window({.offset = start, .above = {}});
    std::set<Sequence> open;  // given out, not settled
    Sequence next = start + 1;
    for (int step = 0; step < 30'000; ++step) {
      if (random() % 2 == 0 && window.HasRoomFor(next)) {
        open.insert(next++);
      } else if (!open.empty()) {
        auto which = open.lower_bound(*open.begin() + random() % (next - *open.begin()));
        if (which == open.end()) which = open.begin();
        if (random() % 64 == 0) which = open.begin();
        window.Settle(*which);
        open.erase(which);
      }
      const Sequence expected_offset = open.empty() ? next - 1 : *open.begin() - 1;
      ASSERT_EQ(window.offset(), expected_offset) << "seed " << seed << " step " << step;
      ASSERT_EQ(window.settled_above(), next - 1 - expected_offset - open.size()) << "seed " << seed;
      if (step % 5'000 == 0) {
        window = SettlementWindow(window.Position());
        for (const Sequence sequence : open) ASSERT_FALSE(window.IsSettled(sequence)) << "seed " << seed;
      }
    }
    for (const Sequence sequence : window.Position().above)
      ASSERT_FALSE(open.contains(sequence)) << "seed " << seed;
  }
}

}  // namespace
}  // namespace weir::deliver
