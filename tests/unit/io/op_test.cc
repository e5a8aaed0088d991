#include "engine/io/op.h"

#include <gtest/gtest.h>

namespace weir::io {
namespace {

TEST(UserData, SurvivesPackingAtItsExtremes) {
  for (const UserData value : {UserData{}, UserData{Op::kWake, 0xFFFFFFu, 0xFFFFFFFFu},
                               UserData{Op::kSend, 1, 0}, UserData{Op::kReceive, 0, 1}}) {
    EXPECT_EQ(UserData::Unpack(value.Pack()), value);
  }
}

TEST(UserData, SlotsBeyond24BitsDoNotReachTheOperation) {
  const UserData packed = UserData::Unpack(UserData{Op::kSend, 0xFF000001u, 7}.Pack());
  EXPECT_EQ(packed.op, Op::kSend);
  EXPECT_EQ(packed.slot, 1u);
}

TEST(UserData, TwoUsesOfOneSlotDiffer) {
  EXPECT_NE((UserData{Op::kReceive, 5, 1}.Pack()), (UserData{Op::kReceive, 5, 2}.Pack()));
}

}  // namespace
}  // namespace weir::io
