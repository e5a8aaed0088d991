#include "engine/disk_floor.h"

#include <gtest/gtest.h>

namespace weir {
namespace {

constexpr std::uint64_t kFloor = 800;

TEST(DiskFloor, StoresNothingAtTheFloorNorUntilThereIsAnEighthMore) {
  EXPECT_TRUE(JudgeDisk(kFloor + 1, kFloor, true).storable);
  EXPECT_FALSE(JudgeDisk(kFloor, kFloor, true).storable);
  EXPECT_FALSE(JudgeDisk(kFloor + 100, kFloor, false).storable);
  EXPECT_TRUE(JudgeDisk(kFloor + 101, kFloor, false).storable);
}

// Everything that is written twice is in it twice.
TEST(DiskFloor, GivesAwayNoMoreThanTheRoomAboveIt) {
  const DiskVerdict verdict = JudgeDisk(kFloor + 1600, kFloor, true);
  EXPECT_EQ(verdict.budget_bytes, 700);
  EXPECT_EQ(verdict.settlement_bytes, 100);
  EXPECT_EQ(verdict.merge_bytes, 800);
}

TEST(DiskFloor, GivesNothingAwayBelowIt) {
  const DiskVerdict verdict = JudgeDisk(kFloor - 1, kFloor, true);
  EXPECT_EQ(verdict.budget_bytes, 0);
  EXPECT_EQ(verdict.settlement_bytes, 0);
  EXPECT_EQ(verdict.merge_bytes, 0);
}

}  // namespace
}  // namespace weir
