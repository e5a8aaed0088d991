#include "bench/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace weir::bench {
namespace {

using testing::HasSubstr;
using testing::Not;

class Report : public testing::Test {
 protected:
  Report() {
    options_.url = "http://127.0.0.1:8080/webhooks/stripe";
    options_.kind = "stripe";
    options_.secret = "whsec_must_not_appear";
    Tally& tally = result_.tally;
    tally.answers[static_cast<std::size_t>(RequestClass::kFresh)][202] = 90;
    tally.answers[static_cast<std::size_t>(RequestClass::kInvalid)][401] = 10;
    for (std::int64_t i = 1; i <= 100; ++i) tally.response.Record(i * 1'000'000);
    result_.measured_s = 2;
    result_.achieved_per_s = 50;
    result_.timeline = {{.second = 0, .answers = 100}};
  }
  Options options_;
  RunResult result_;
};

TEST_F(Report, TextNamesThePercentilesAndTheStatuses) {
  const std::string text = TextReport(options_, result_, {});
  EXPECT_THAT(text, HasSubstr("achieved     50.0/s"));
  EXPECT_THAT(text, HasSubstr("p50 50."));
  EXPECT_THAT(text, HasSubstr("max 100.000 ms"));
  EXPECT_THAT(text, HasSubstr("202 x 90  401 x 10"));
  EXPECT_THAT(text, HasSubstr("invalid    401 x 10"));
  EXPECT_THAT(text, Not(HasSubstr("offered")));
}

TEST_F(Report, AnOpenLoopNamesTheOfferedRateToo) {
  options_.rate_per_s = 60;
  result_.offered_per_s = 60;
  EXPECT_THAT(TextReport(options_, result_, {}), HasSubstr("offered      60.0/s"));
}

TEST_F(Report, SaysWhenTheToolWasTheLimit) {
  EXPECT_THAT(TextReport(options_, result_, {}), Not(HasSubstr("note:")));
  result_.tally.starved_ns = 1'000'000;
  EXPECT_THAT(TextReport(options_, result_, {}), HasSubstr("raise --ahead"));
  result_.tally.cpu_s = 2;
  EXPECT_THAT(TextReport(options_, result_, {}), HasSubstr("busy nearly all the time"));
}

TEST_F(Report, JsonHasTheSameFigures) {
  const auto json = nlohmann::json::parse(JsonReport(options_, result_, {"a complaint"}));
  EXPECT_EQ(json["statuses"]["202"], 90);
  EXPECT_EQ(json["classes"]["invalid"]["401"], 10);
  EXPECT_EQ(json["response_ms"]["max"], 100.0);
  EXPECT_EQ(json["complaints"][0], "a complaint");
  EXPECT_EQ(json["percentiles_ms"].back()[0], 1.0);
}

TEST_F(Report, NeverShowsTheSecret) {
  const std::string json = JsonReport(options_, result_, {});
  EXPECT_THAT(json, Not(HasSubstr(options_.secret)));
  EXPECT_THAT(TextReport(options_, result_, {}), Not(HasSubstr(options_.secret)));
}

TEST_F(Report, DataCannotEndThePagesScript) {
  options_.url = "http://x/</script><script>alert(1)</script>";
  const std::string page = HtmlReport(JsonReport(options_, result_, {}));
  EXPECT_THAT(page, Not(HasSubstr("alert(1)</script>")));
  EXPECT_THAT(page, HasSubstr("\\u003c/script>"));
}

TEST(Judgement, NamesEveryKindOfTrouble) {
  RunResult result;
  std::vector<std::string> complaints;
  EXPECT_EQ(Judge(result, complaints), kDone);
  result.tally.answers[0][500] = 3;
  result.tally.unanswered = 2;
  result.tally.ledger_incomplete = true;
  EXPECT_EQ(Judge(result, complaints), kFoundWrong);
  EXPECT_THAT(complaints, testing::ElementsAre(HasSubstr("3 answers"), HasSubstr("2 requests without"),
                                               HasSubstr("ledger")));
}

}  // namespace
}  // namespace weir::bench
