// The dedupe index's parts on their own: the table and the filter.
#include <gtest/gtest.h>

#include <random>
#include <set>

#include "storage/dedupe_filter.h"
#include "storage/dedupe_table.h"

namespace weir::storage {
namespace {

std::multiset<Sequence> Find(const DedupeTable& table, Fingerprint fingerprint) {
  std::multiset<Sequence> found;
  table.ForEach(fingerprint, [&](Sequence sequence) { found.insert(sequence); });
  return found;
}

TEST(DedupeTable, FindsWhatWasInsertedAndNothingElse) {
  DedupeTable table(1000);
  std::mt19937_64 random(1);
  std::vector<Fingerprint> fingerprints;
  for (Sequence sequence = 1; sequence <= 1000; ++sequence) {
    fingerprints.push_back(random());
    table.Insert(fingerprints.back(), sequence);
  }
  EXPECT_EQ(table.room(), 0u);
  for (Sequence sequence = 1; sequence <= 1000; ++sequence) {
    EXPECT_EQ(Find(table, fingerprints[sequence - 1]), std::multiset<Sequence>{sequence});
  }
  for (int i = 0; i < 1000; ++i) EXPECT_TRUE(Find(table, random()).empty());
}

TEST(DedupeTable, KeepsEveryEntryOfOneFingerprint) {
  DedupeTable table(10);
  for (const Sequence sequence : {3, 1, 2}) table.Insert(0, sequence);
  table.Insert(1, 4);
  EXPECT_EQ(Find(table, 0), (std::multiset<Sequence>{1, 2, 3}));
}

TEST(DedupeTable, UndoingInReverseLeavesItAsItWas) {
  DedupeTable table(8);
  for (Sequence sequence = 1; sequence <= 4; ++sequence) table.Insert(7, sequence);
  std::vector<std::size_t> slots;
  for (Sequence sequence = 5; sequence <= 8; ++sequence)
    slots.push_back(table.Insert(sequence % 2 == 0 ? 7 : 8, sequence));
  for (auto slot = slots.rbegin(); slot != slots.rend(); ++slot) table.Undo(*slot);
  EXPECT_EQ(Find(table, 7), (std::multiset<Sequence>{1, 2, 3, 4}));
  EXPECT_TRUE(Find(table, 8).empty());
  EXPECT_EQ(table.size(), 4u);
}

TEST(DedupeFilter, NeverSaysNoToWhatItHolds) {
  DedupeFilter filter(10'000);
  std::mt19937_64 random(2);
  std::vector<Fingerprint> fingerprints;
  fingerprints.reserve(10'000);
  for (int i = 0; i < 10'000; ++i) fingerprints.push_back(random());
  for (const Fingerprint fingerprint : fingerprints) filter.Add(fingerprint);
  for (const Fingerprint fingerprint : fingerprints) EXPECT_TRUE(filter.MayContain(fingerprint));
}

TEST(DedupeFilter, SaysNoToNearlyEverythingElse) {
  DedupeFilter filter(10'000);
  std::mt19937_64 random(3);
  for (int i = 0; i < 10'000; ++i) filter.Add(random());
  int wrong = 0;
  for (int i = 0; i < 100'000; ++i) wrong += filter.MayContain(random()) ? 1 : 0;
  EXPECT_LT(wrong, 1000);  // about 500 of them
}

TEST(DedupeFilter, SurvivesBeingStored) {
  DedupeFilter filter(100);
  std::mt19937_64 random(4);
  const Fingerprint inside = random();
  filter.Add(inside);
  const DedupeFilter copy = DedupeFilter::FromBytes(filter.bytes());
  EXPECT_TRUE(copy.MayContain(inside));
  EXPECT_EQ(copy.bytes(), filter.bytes());
}

TEST(DedupeFilter, AnEmptyOneSaysMaybe) {
  EXPECT_TRUE(DedupeFilter().MayContain(17));
}

}  // namespace
}  // namespace weir::storage
