#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/admin/operator_fixture.h"

namespace weir::admin {
namespace {

using testing::HasSubstr;

// What `weir events show` says of event 3 at the sink "billing".
class WhyNot : public OperatorTest {
 protected:
  WhyNot() {
    for (const char* id : {"a", "b", "c"}) Put({.id = id, .type = "order.paid"});
  }
  Json Delivery(storage::Sequence sequence = 3) {
    const Json event = Get("/events/show", {{"sequence", std::to_string(sequence)}});
    EXPECT_EQ(event["deliveries"].size(), 1u);
    return event["deliveries"].empty() ? Json::object() : event["deliveries"][0];
  }
  std::string Why(storage::Sequence sequence = 3) { return Delivery(sequence).value("why", ""); }
};

TEST_F(WhyNot, SaysNothingOfWhatWasDelivered) {
  Sink("billing", 3);
  EXPECT_EQ(Why(), "");
}

TEST_F(WhyNot, NamesTheGlobsThatNoRouteMatched) {
  Routes({{.source = "shop", .types = {"invoice.*", "charge.paid"}, .sink = "billing"},
          {.source = "zoo", .types = {}, .sink = "billing"}});
  EXPECT_EQ(Delivery()["state"], "no_route");
  EXPECT_EQ(Why(),
            "no route: type \"order.paid\" of source shop matches none of: shop invoice.*, shop charge.paid, "
            "zoo *");
}

TEST_F(WhyNot, CountsTheEventsInFrontOfIt) {
  Sink("billing", 0);
  EXPECT_THAT(Why(), HasSubstr("no server runs; behind in the log by 2 events"));
  EXPECT_THAT(Why(1), HasSubstr("next in the log for this sink"));
  storage::SettlementBatch batch;
  batch.sink = "billing";
  batch.position = storage::SinkPosition{.offset = 0, .above = {2}};
  Settle(batch);
  EXPECT_THAT(Why(), HasSubstr("behind in the log by 1 event"));
}

TEST_F(WhyNot, SaysWhenTheNextAttemptIsAndWhatTheLastCameTo) {
  Sink("billing", 3);
  ScheduleRetry("billing", 3);
  EXPECT_THAT(Why(), HasSubstr("next attempt at 2026-11-21T21:22:01"));
  EXPECT_THAT(Why(), HasSubstr("because: 503 (2 attempts made)"));
}

TEST_F(WhyNot, SaysWhyItIsDead) {
  Sink("billing", 3);
  Bury("billing", 3);
  EXPECT_EQ(Why(), "dead because: attempts_exhausted (5 attempts)");
}

TEST_F(WhyNot, SaysWhyItNeverWasDeliverable) {
  Put({.id = "bad", .malformed = "no event id at /id"});
  Sink("billing", 4);
  EXPECT_EQ(Why(4), "never deliverable: no event id at /id");
}

}  // namespace
}  // namespace weir::admin
