#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/tools/command_fixture.h"

namespace weir::tools {
namespace {

using testing::HasSubstr;

class VerifyCommand : public CommandTest {
 protected:
  VerifyCommand() {
    for (const char* id : {"a", "b", "c"}) Put({.id = id});
  }
};

TEST_F(VerifyCommand, EndsWithZeroForASoundStore) {
  ASSERT_EQ(Run({"verify", "--data", Data()}), kDone) << err_ << out_;
  EXPECT_THAT(out_, HasSubstr("events:       3 (sequences 1 to 3)"));
  EXPECT_THAT(out_, HasSubstr("\nsound\n"));
}

TEST_F(VerifyCommand, ProvesEveryIdOfALedger) {
  std::ofstream(File("acked")) << "a\nb\nc\nb\n";
  ASSERT_EQ(Run({"verify", "--data", Data(), "--ledger", File("acked"), "--json"}), kDone) << err_ << out_;
  EXPECT_EQ(Json::parse(out_)["ledger"]["ids"], 3);
  EXPECT_EQ(Json::parse(out_)["ledger"]["found"], 3);
}

TEST_F(VerifyCommand, EndsWithOneWhenAnAckedIdIsNotThere) {
  std::ofstream(File("acked")) << "a\nlost\n";
  EXPECT_EQ(Run({"verify", "--data", Data(), "--ledger", File("acked")}), kFoundWrong);
  EXPECT_THAT(out_, HasSubstr("WRONG ledger_missing"));
  EXPECT_EQ(Run({"verify", "--data", Data(), "--ledger", File("acked"), "--json"}), kFoundWrong);
  EXPECT_FALSE(Json::parse(out_)["sound"]);
}

TEST_F(VerifyCommand, EndsWithTwoWhileAServerHoldsTheStore) {
  Serve();
  EXPECT_EQ(Run({"verify", "--data", Data()}), kUsage);
  EXPECT_THAT(err_, HasSubstr("stop the server first"));
}

TEST_F(VerifyCommand, EndsWithTwoWhenThereIsNothingToVerify) {
  EXPECT_EQ(Run({"verify", "--data", Data() + "/nowhere"}), kUsage);
  EXPECT_EQ(Run({"verify", "--data", Data(), "--ledger", File("nowhere")}), kUsage);
}

}  // namespace
}  // namespace weir::tools
