#include "engine/deliver/retry_schedule.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>

namespace weir::deliver {
namespace {

using storage::RetryEntry;
using storage::Sequence;
using storage::SettlementBatch;

RetryEntry Entry(Sequence sequence, std::int64_t due_us, std::uint32_t attempts = 1) {
  return {.sequence = sequence, .due_us = due_us, .attempts = attempts, .last_outcome = "503"};
}

SettlementBatch ChangesOf(RetrySchedule& schedule) {
  SettlementBatch batch;
  schedule.TakeChanges(batch);
  return batch;
}

TEST(RetrySchedule, GivesTheEarliestThatIsDue) {
  RetrySchedule schedule({});
  schedule.Schedule(Entry(1, 300));
  schedule.Schedule(Entry(2, 100, 4));
  EXPECT_EQ(schedule.NextDueUs(), 100);
  EXPECT_FALSE(schedule.TakeDue(99));
  const auto due = schedule.TakeDue(100);
  ASSERT_TRUE(due);
  EXPECT_EQ(due->sequence, 2u);
  EXPECT_EQ(due->attempts, 4u);
  EXPECT_FALSE(schedule.TakeDue(299));
  EXPECT_EQ(schedule.NextDueUs(), 300);
}

TEST(RetrySchedule, AnchorsWhatIsDueLaterThanItsOwnDelayFromNow) {
  RetryEntry known = Entry(1, 10'000);
  known.scheduled_at_us = 9'000;
  RetryEntry soon = Entry(2, 1'500);
  soon.scheduled_at_us = 500;
  RetrySchedule schedule({known, soon, Entry(3, 50'000), Entry(4, 900)});
  EXPECT_EQ(schedule.Anchor(1'000, 20'000), 2u);
  const auto batch = ChangesOf(schedule);
  EXPECT_EQ(batch.retries_removed.size(), 2u);
  std::map<Sequence, RetryEntry> moved;
  for (const RetryEntry& entry : batch.retries_added) moved[entry.sequence] = entry;
  ASSERT_EQ(moved.size(), 2u);
  EXPECT_EQ(moved[1].due_us, 2'000);
  EXPECT_EQ(moved[1].scheduled_at_us, 1'000);
  EXPECT_EQ(moved[1].last_outcome, "503") << "what an operator reads is kept";
  EXPECT_EQ(moved[3].due_us, 21'000);
}

TEST(RetrySchedule, ClockThatIsSetMovesWhatWaitsAndNothingElse) {
  RetrySchedule schedule({Entry(1, 100), Entry(2, 200)});
  ASSERT_TRUE(schedule.TakeDue(100));
  schedule.FollowClock(-1'000);
  EXPECT_EQ(schedule.NextDueUs(), -800);
  const auto batch = ChangesOf(schedule);
  ASSERT_EQ(batch.retries_added.size(), 1u);
  EXPECT_EQ(batch.retries_added[0].sequence, 2u);
}

TEST(RetrySchedule, RetryUnderWayIsNotGivenAgainButStaysStored) {
  RetrySchedule schedule({Entry(1, 100)});
  ASSERT_TRUE(schedule.TakeDue(100));
  EXPECT_FALSE(schedule.TakeDue(1'000'000));
  EXPECT_EQ(schedule.size(), 1u);
  EXPECT_FALSE(schedule.HasChanges()) << "a crash now must find it in the store";
}

TEST(RetrySchedule, SuccessRemovesItFromTheStore) {
  RetrySchedule schedule({Entry(1, 100)});
  ASSERT_TRUE(schedule.TakeDue(100));
  schedule.Remove(1);
  const auto batch = ChangesOf(schedule);
  EXPECT_TRUE(batch.retries_added.empty());
  ASSERT_EQ(batch.retries_removed.size(), 1u);
  EXPECT_EQ(batch.retries_removed[0], (std::pair<std::int64_t, Sequence>(100, 1)));
}

TEST(RetrySchedule, NextRetryReplacesTheStoredOne) {
  RetrySchedule schedule({Entry(1, 100)});
  ASSERT_TRUE(schedule.TakeDue(100));
  schedule.Schedule(Entry(1, 500, 2));
  const auto batch = ChangesOf(schedule);
  ASSERT_EQ(batch.retries_added.size(), 1u);
  EXPECT_EQ(batch.retries_added[0].due_us, 500);
  EXPECT_EQ(batch.retries_added[0].attempts, 2u);
  EXPECT_EQ(batch.retries_added[0].last_outcome, "503");
  ASSERT_EQ(batch.retries_removed.size(), 1u);
  EXPECT_EQ(batch.retries_removed[0].first, 100);
  EXPECT_EQ(schedule.TakeDue(500)->sequence, 1u);
}

TEST(RetrySchedule, EntryThatWasNeverWrittenLeavesNoTrace) {
  RetrySchedule schedule({});
  schedule.Schedule(Entry(1, 100));
  schedule.Remove(1);
  const auto batch = ChangesOf(schedule);
  EXPECT_TRUE(batch.retries_added.empty());
  EXPECT_TRUE(batch.retries_removed.empty());
}

TEST(RetrySchedule, SameDueTimeIsRewrittenNotRemoved) {
  RetrySchedule schedule({Entry(1, 100)});
  schedule.Schedule(Entry(1, 100, 2));
  const auto batch = ChangesOf(schedule);
  EXPECT_EQ(batch.retries_added.size(), 1u);
  EXPECT_TRUE(batch.retries_removed.empty()) << "it would take the new entry with it";
}

TEST(RetrySchedule, RemovedAndScheduledAgainBeforeTheWriteIsOneEntry) {
  RetrySchedule schedule({Entry(1, 100)});
  schedule.Remove(1);
  schedule.Schedule(Entry(1, 100, 0));
  const auto batch = ChangesOf(schedule);
  EXPECT_EQ(batch.retries_added.size(), 1u);
  EXPECT_TRUE(batch.retries_removed.empty());
}

TEST(RetrySchedule, OfTwoThatAreStoredForOneEventTheFurtherCountsAndTheOtherGoes) {
  RetrySchedule schedule({Entry(1, 100, 1), Entry(1, 900, 2), Entry(2, 200, 3), Entry(2, 300, 2)});
  EXPECT_EQ(schedule.size(), 2u);
  EXPECT_TRUE(schedule.HasChanges());
  const auto due = schedule.TakeDue(500);
  ASSERT_TRUE(due);
  EXPECT_EQ(due->sequence, 2u);
  EXPECT_EQ(due->attempts, 3u);
  EXPECT_FALSE(schedule.TakeDue(500));
  const auto batch = ChangesOf(schedule);
  EXPECT_TRUE(batch.retries_added.empty());
  EXPECT_EQ(batch.retries_removed, (std::vector<std::pair<std::int64_t, Sequence>>{{100, 1}, {300, 2}}));
  EXPECT_FALSE(schedule.HasChanges());
}

TEST(RetrySchedule, RetryThatTakesThePlaceOfASupersededOneStays) {
  RetrySchedule schedule({Entry(1, 100, 1), Entry(1, 900, 2)});
  schedule.Schedule(Entry(1, 100, 3));
  const auto batch = ChangesOf(schedule);
  EXPECT_EQ(batch.retries_added.size(), 1u);
  EXPECT_EQ(batch.retries_removed, (std::vector<std::pair<std::int64_t, Sequence>>{{900, 1}}));
}

TEST(RetrySchedule, UnderWayFromTheStartIsStoredAndNotGiven) {
  RetrySchedule schedule({});
  schedule.ScheduleUnderWay(Entry(1, 100));
  EXPECT_FALSE(schedule.TakeDue(1'000));
  EXPECT_EQ(ChangesOf(schedule).retries_added.size(), 1u);
  schedule.Schedule(Entry(1, 200));
  EXPECT_TRUE(schedule.TakeDue(200));
}

TEST(RetrySchedule, HasRoomUpToItsBound) {
  RetrySchedule schedule({});
  EXPECT_EQ(schedule.room(), limits::kRetryScheduleMax);
  for (Sequence sequence = 1; sequence <= limits::kRetryScheduleMax; ++sequence) {
    schedule.Schedule(Entry(sequence, 1));
  }
  EXPECT_EQ(schedule.room(), 0u);
  schedule.Remove(7);
  EXPECT_EQ(schedule.room(), 1u);
}

// A store that applies each batch as the real one does, adds before removes, must always hold what the
// schedule holds.
TEST(RetrySchedule, MirrorsItselfWhateverHappens) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    std::mt19937_64 random(seed);
    RetrySchedule schedule({});
    std::map<Sequence, std::int64_t> expected;
    std::set<std::pair<std::int64_t, Sequence>> stored;
    for (int step = 0; step < 5'000; ++step) {
      const Sequence sequence = random() % 50 + 1;
      const auto due_us = static_cast<std::int64_t>(random() % 8);
      switch (random() % 4) {
        case 0:
          schedule.Schedule(Entry(sequence, due_us));
          expected[sequence] = due_us;
          break;
        case 1:
          if (expected.erase(sequence) != 0) schedule.Remove(sequence);
          break;
        case 2:
          schedule.TakeDue(due_us);
          break;
        default: {
          const auto batch = ChangesOf(schedule);
          for (const auto& entry : batch.retries_added) stored.emplace(entry.due_us, entry.sequence);
          for (const auto& key : batch.retries_removed) ASSERT_EQ(stored.erase(key), 1u) << "seed " << seed;
          std::set<std::pair<std::int64_t, Sequence>> wanted;
          for (const auto& [kept, due] : expected) wanted.emplace(due, kept);
          ASSERT_EQ(stored, wanted) << "seed " << seed << " step " << step;
          break;
        }
      }
    }
  }
}

}  // namespace
}  // namespace weir::deliver
