#include "engine/admin/readiness.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weir::admin {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::StartsWith;

class Readiness : public testing::Test {
 protected:
  std::vector<std::string> Reasons(std::uint64_t disk_free_bytes = 1000, std::int64_t silent_ms = 0) {
    return ReasonsNotReady(
        gate_, statistics_,
        {.free_bytes = disk_free_bytes, .floor_bytes = 100, .resumes_above = 112, .silent_ms = silent_ms});
  }
  ingest::Gate gate_;
  storage::StoreStatistics statistics_{};
};

TEST_F(Readiness, HasNoReasonAgainstItWhileEventsAreStored) {
  EXPECT_THAT(Reasons(), IsEmpty());
}

TEST_F(Readiness, EndsWithTheDrain) {
  gate_.accepting = false;
  EXPECT_THAT(Reasons(), ElementsAre(StartsWith("draining")));
}

TEST_F(Readiness, EndsBelowTheDiskFloorAndNamesItOnce) {
  gate_.storable = false;
  EXPECT_THAT(Reasons(99),
              ElementsAre("disk: 99 bytes free; storing stops below 100 (min_free_disk) and resumes "
                          "above 112"));
}

TEST_F(Readiness, NamesTheDiskUntilStoringIsResumed) {
  gate_.storable = false;
  EXPECT_THAT(Reasons(112), ElementsAre(StartsWith("disk: 112 bytes free; storing stops below 100")));
  gate_.storable = true;
  EXPECT_THAT(Reasons(112), IsEmpty());
}

TEST_F(Readiness, EndsWhileTheDiskDoesNotSayHowMuchRoomItHas) {
  EXPECT_THAT(Reasons(1000, kDiskSilentMs), IsEmpty());
  EXPECT_THAT(Reasons(1000, 7'500), ElementsAre("disk: it has not said for 7 s how much room it has"));
}

TEST_F(Readiness, EndsWhenTheStoreFailed) {
  gate_.storable = false;
  EXPECT_THAT(Reasons(), ElementsAre(StartsWith("store:")));
}

TEST_F(Readiness, EndsWhileWritersWait) {
  statistics_.write_stopped = true;
  EXPECT_THAT(Reasons(), ElementsAre(StartsWith("store: compaction")));
}

}  // namespace
}  // namespace weir::admin
