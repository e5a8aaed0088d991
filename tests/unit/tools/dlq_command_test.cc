#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/tools/command_fixture.h"

namespace weir::tools {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

class DlqCommand : public CommandTest {
 protected:
  DlqCommand() {
    Put({.id = "a", .type = "invoice.paid"});
    Put({.id = "b", .type = "charge.paid"});
    Put({.id = "bad", .malformed = "no event id at /id"});
    Sink("billing", 3);
    Bury("billing", 1);
    Bury("billing", 2);
    Bury("-", 3);
  }
  std::vector<std::string> LettersLeft() {
    std::vector<std::string> ids;
    EXPECT_EQ(Run({"dlq", "list", "--data", Data(), "--json"}), kDone) << err_;
    for (const Json& letter : Json::parse(out_)) ids.push_back(letter["id"]);
    return ids;
  }
};

TEST_F(DlqCommand, ListsReasonsAndIds) {
  ASSERT_EQ(Run({"dlq", "list", "--data", Data(), "--sink", "billing"}), kDone) << err_;
  ASSERT_THAT(OutLines(), SizeIs(4));
  EXPECT_THAT(OutLines()[1], HasSubstr("attempts_exhausted"));
  EXPECT_EQ(OutLines()[3], "2 dead letters, newest first");
  ASSERT_EQ(Run({"dlq", "list", "--data", Data(), "--limit", "1"}), kDone) << err_;
  EXPECT_EQ(OutLines().back(), "1 of 3 dead letters, newest first; 2 more (--limit)");
}

TEST_F(DlqCommand, ShowsTheSinksLastAnswer) {
  ASSERT_EQ(Run({"dlq", "show", "--data", Data(), "--id", "a"}), kDone) << err_;
  EXPECT_THAT(out_, HasSubstr("last_answer:  no thanks"));
  EXPECT_EQ(Run({"dlq", "show", "--data", Data(), "--id", "nope"}), kFoundWrong);
}

TEST_F(DlqCommand, RetriesThroughTheStoreWhenNoServerRuns) {
  ASSERT_EQ(Run({"dlq", "retry", "--data", Data(), "--id", "a"}), kDone) << err_;
  EXPECT_EQ(out_, "1 matched, 1 retried\n  billing: 1\n");
  EXPECT_THAT(LettersLeft(), ElementsAre("b", "bad"));
  Open();
  EXPECT_THAT(*store->LoadRetries("billing"), SizeIs(1));
}

TEST_F(DlqCommand, RetriesThroughTheServerWhenOneRuns) {
  Serve();
  ASSERT_EQ(Run({"dlq", "retry", "--data", Data(), "--sink", "billing", "--json"}), kDone) << err_;
  EXPECT_EQ(Json::parse(out_)["done"], 2);
  ASSERT_THAT(submitted_, SizeIs(1));
  EXPECT_THAT(submitted_[0].sequences, ElementsAre(1, 2));
}

TEST_F(DlqCommand, DropsWhatMatches) {
  ASSERT_EQ(Run({"dlq", "drop", "--data", Data(), "--type", "invoice.*", "--yes"}), kDone) << err_;
  EXPECT_THAT(LettersLeft(), ElementsAre("b", "bad"));
  ASSERT_EQ(Run({"dlq", "drop", "--data", Data(), "--all", "--yes"}), kDone) << err_;
  EXPECT_THAT(LettersLeft(), SizeIs(0));
}

TEST_F(DlqCommand, DropsAConflictOnlyWhenItIsToldTo) {
  Put({.id = "a", .type = "invoice.paid", .body = "other bytes"});
  ASSERT_EQ(Run({"events", "list", "--data", Data(), "--state", "conflict", "--json"}), kDone) << err_;
  const std::string conflict = Json::parse(out_)[0]["conflict"];
  const std::vector<std::string> drop = {"dlq", "drop", "--data", Data(), "--conflict", conflict};
  const auto with = [&](const std::vector<std::string>& more) {
    std::vector<std::string> words = drop;
    words.insert(words.end(), more.begin(), more.end());
    return Run(words);
  };
  EXPECT_EQ(with({"--dry-run"}), kDone) << err_;
  EXPECT_EQ(out_, "1 conflict would be dropped\n");
  EXPECT_EQ(with({}), kUsage);
  EXPECT_THAT(err_, HasSubstr("this would drop conflict " + conflict + " for good; say --yes"));
  EXPECT_EQ(with({"--all", "--yes"}), kUsage);
  EXPECT_EQ(with({"--yes"}), kDone) << "neither of them dropped it: " << err_;
  EXPECT_EQ(with({"--dry-run"}), kFoundWrong) << "it is gone";
}

TEST_F(DlqCommand, DropsNothingUnaskedWhereThereIsNobodyToAsk) {
  EXPECT_EQ(Run({"dlq", "drop", "--data", Data(), "--all"}), kUsage);
  EXPECT_THAT(err_, HasSubstr("this would drop 3 dead letters for good; say --yes"));
  EXPECT_THAT(LettersLeft(), SizeIs(3));
}

TEST_F(DlqCommand, CountsApartByWhatItIsAskedFor) {
  ASSERT_EQ(Run({"dlq", "count", "--data", Data()}), kDone) << err_;
  EXPECT_EQ(out_, "3\n");
  ASSERT_EQ(Run({"dlq", "count", "--data", Data(), "--by", "reason,sink"}), kDone) << err_;
  EXPECT_THAT(OutLines()[0], testing::ContainsRegex("^COUNT +REASON +SINK"));
  EXPECT_THAT(OutLines()[1], testing::ContainsRegex("^ +2 +attempts_exhausted +billing"));
  EXPECT_EQ(OutLines().back(), "3 dead letters");
  ASSERT_EQ(Run({"dlq", "count", "--data", Data(), "--by", "sink", "--json"}), kDone) << err_;
  EXPECT_EQ(Json::parse(out_)["groups"][0], (Json{{"sink", "billing"}, {"count", 2}}));
  EXPECT_EQ(Run({"dlq", "count", "--data", Data(), "--by", "colour"}), kUsage);
}

TEST_F(DlqCommand, RefusesNamesThatNothingHas) {
  EXPECT_EQ(Run({"dlq", "list", "--data", Data(), "--sink", "biling"}), kUsage);
  EXPECT_THAT(err_, HasSubstr("did you mean \"billing\"?"));
  EXPECT_EQ(Run({"dlq", "list", "--data", Data(), "--reason", "atempts_exhausted"}), kUsage);
}

TEST_F(DlqCommand, OnlyCountsInADryRun) {
  ASSERT_EQ(Run({"dlq", "drop", "--data", Data(), "--all", "--dry-run"}), kDone) << err_;
  EXPECT_EQ(out_, "3 matched, 3 would be dropped\n  -: 1\n  billing: 2\n");
  EXPECT_THAT(LettersLeft(), SizeIs(3));
}

TEST_F(DlqCommand, EndsWithOneWhenItLeftSomethingAlone) {
  EXPECT_EQ(Run({"dlq", "retry", "--data", Data(), "--all"}), kFoundWrong);
  EXPECT_THAT(err_, HasSubstr("1 of sink - left alone"));
  EXPECT_THAT(LettersLeft(), ElementsAre("bad"));
  EXPECT_EQ(Run({"dlq", "drop", "--data", Data(), "--id", "nope", "--yes"}), kFoundWrong);
}

TEST_F(DlqCommand, DoesNothingWithoutAFilterOrAll) {
  for (const char* verb : {"retry", "drop"}) {
    EXPECT_EQ(Run({"dlq", verb, "--data", Data()}), kUsage);
    EXPECT_EQ(Run({"dlq", verb, "--data", Data(), "--dry-run"}), kUsage);
    EXPECT_EQ(Run({"dlq", verb, "--data", Data(), "--all", "--sink", "billing"}), kUsage);
    EXPECT_EQ(Run({"dlq", verb, "--data", Data(), "--id", ""}), kUsage);
  }
  EXPECT_THAT(LettersLeft(), SizeIs(3));
}

}  // namespace
}  // namespace weir::tools
