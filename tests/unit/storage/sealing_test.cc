// Dedupe once events have left the table in memory: sealed runs, merges, expiry, and fingerprints that
// collide.
#include <gtest/gtest.h>

#include "storage/limits.h"
#include "tests/support/eventually.h"
#include "tests/unit/storage/store_fixture.h"

namespace weir::storage {
namespace {

constexpr std::int64_t kHourUs = std::int64_t{3600} * kSecondUs;

class Sealing : public StoreTest {
 protected:
  Sealing() { options.dedupe_head_events = 100; }
  // Seals whatever is full: closing waits for the sealing thread.
  void Settle() { Reopen(); }
  void ExpectAllDuplicates(std::size_t count, std::string_view prefix = "evt_") {
    for (std::size_t i = 0; i < count; ++i) {
      const AppendResult result =
          CommitOne({.id = std::string(prefix) + std::to_string(i), .body = std::string(100, 'x')});
      ASSERT_EQ(result.outcome, AppendOutcome::kDuplicate) << i;
      ASSERT_EQ(result.sequence, i + 1);
    }
  }
  // `count` new events at this time, in groups of 100.
  void FillAt(std::int64_t at_us, std::size_t count, const std::string& prefix, std::int64_t window_us) {
    std::vector<Arrival> group;
    for (std::size_t i = 0; i < count; ++i) {
      group.push_back({.id = prefix + std::to_string(i), .received_at_us = at_us});
      if (group.size() < 100 && i + 1 < count) continue;
      Commit(group, window_us);
      group.clear();
    }
  }
};

TEST_F(Sealing, KnowsEventsInMemoryBeingSealedAndSealed) {
  Open();
  Fill(350);
  ExpectAllDuplicates(350);
  EXPECT_EQ(store->last_sequence(), 350u);
}

TEST_F(Sealing, KnowsSealedEventsAfterReopening) {
  Open();
  Fill(350);
  Settle();
  EXPECT_GE(store->Statistics().dedupe_entries_sealed, 250u);
  ExpectAllDuplicates(350);
}

TEST_F(Sealing, ReadsBackOnlyWhatIsNotSealed) {
  Open();
  Fill(350);
  Settle();
  const StoreStatistics statistics = store->Statistics();
  EXPECT_EQ(statistics.dedupe_entries_sealed + statistics.dedupe_entries_in_memory, 350u);
  EXPECT_LE(statistics.dedupe_entries_in_memory, 100u);
}

TEST_F(Sealing, KnowsEverythingAfterACrashInTheMiddleOfIt) {
  Open();
  Fill(777);
  Crash();
  Open();
  ExpectAllDuplicates(777);
}

TEST_F(Sealing, MergesRuns) {
  Open();
  Fill(3000);
  Settle();
  EXPECT_LT(store->Statistics().dedupe_runs, 15u);
  EXPECT_GE(store->Statistics().dedupe_entries_sealed, 2900u);
  ExpectAllDuplicates(3000);
}

TEST_F(Sealing, AgreesWithALargeWindowForEveryIdOfMany) {
  options.dedupe_head_events = 1000;
  Open();
  Fill(20'000, "many_", 1);
  for (std::size_t i = 0; i < 20'000; i += 7) {
    const AppendResult again = CommitOne({.id = "many_" + std::to_string(i), .body = "x"});
    ASSERT_EQ(again.outcome, AppendOutcome::kDuplicate) << i;
    ASSERT_EQ(again.sequence, i + 1);
  }
}

TEST_F(Sealing, DropsRunsWhoseWindowHasPassed) {
  Open();
  for (int hour = 0; hour < 20; ++hour) {
    FillAt(kNowUs + hour * kHourUs, 200, std::to_string(hour) + "_", kHourUs);
  }
  Settle();
  EXPECT_LT(store->Statistics().dedupe_entries_sealed, 800u);
  EXPECT_EQ(CommitOne({.id = "0_0", .received_at_us = kNowUs + std::int64_t{20} * kHourUs}, kHourUs).outcome,
            AppendOutcome::kStored);
  EXPECT_EQ(CommitOne({.id = "19_0", .received_at_us = kNowUs + std::int64_t{20} * kHourUs}, kHourUs).outcome,
            AppendOutcome::kDuplicate);
}

TEST_F(Sealing, KeepsRunsForTheLargestWindowEverUsed) {
  Open();
  CommitOne({.id = "long"}, kWeekUs);
  for (int hour = 1; hour < 20; ++hour) {
    FillAt(kNowUs + hour * kHourUs, 200, std::to_string(hour) + "_", kHourUs);
  }
  Settle();
  EXPECT_EQ(CommitOne({.id = "long", .received_at_us = kNowUs + std::int64_t{20} * kHourUs}, kWeekUs).outcome,
            AppendOutcome::kDuplicate);
}

TEST_F(Sealing, CollidingFingerprintsCostReadsAndNoEvents) {
  options.dedupe_fingerprint_bits = 3;
  Open();
  Fill(500);
  EXPECT_EQ(store->last_sequence(), 500u);
  ExpectAllDuplicates(500);
  Settle();
  ExpectAllDuplicates(500);
}

TEST_F(Sealing, AGroupMayBeLargerThanTheHead) {
  options.dedupe_head_events = 10;
  Open();
  Fill(500);
  ExpectAllDuplicates(500);
}

TEST_F(Sealing, MergesNothingWithoutRoomAndGoesOnWithoutIt) {
  Open();
  store->AllowMerges(0);
  Fill(100 * 3 * limits::kDedupeRunsPerMerge);
  ASSERT_TRUE(tests::Eventually([&] {
    return store->Statistics().dedupe_runs > 2 * limits::kDedupeRunsPerMerge &&
           !store->Statistics().troubles.empty();
  }));
  EXPECT_NE(store->Statistics().troubles[0].message.find("wait to be merged until the disk has room for"),
            std::string::npos);
  store->AllowMerges(1 << 20);
  EXPECT_TRUE(tests::Eventually([&] {
    return store->Statistics().dedupe_runs < 2 * limits::kDedupeRunsPerMerge &&
           store->Statistics().troubles.empty();
  }));
}

}  // namespace
}  // namespace weir::storage
