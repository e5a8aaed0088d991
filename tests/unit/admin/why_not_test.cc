#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/deliver/sink_ledger.h"
#include "engine/limits.h"
#include "tests/unit/admin/operator_fixture.h"

namespace weir::admin {
namespace {

using testing::HasSubstr;

// What `weir events show` says of event 3 at the sink "billing".
class WhyNot : public OperatorTest {
 protected:
  WhyNot() {
    for (const char* id : {"a", "b", "c"}) Put({.id = id, .type = "order.paid"});
    sink_->sink = "billing";
  }
  void Retry(const storage::RetryEntry& entry) {
    storage::SettlementBatch batch;
    batch.sink = "billing";
    batch.retries_added.push_back(entry);
    Settle(batch);
  }
  Json Delivery(storage::Sequence sequence = 3) {
    Wiring wiring{.store = *store, .data = options.directory, .live = std::nullopt};
    if (runs_) {
      wiring.live.emplace(Live{.shards = {},
                               .commit = commit_,
                               .retention = retention_,
                               .appends = appends_,
                               .gate = gate_,
                               .visit_sinks = [this](const auto& visit) { visit(*sink_); },
                               .submit = [](std::string_view, const auto&) { return false; },
                               .ring_mode = "test"});
    }
    const ApiReply reply = OperatorApi(wiring).Handle({.method = "GET",
                                                       .path = "/events/show",
                                                       .parameters = {{"sequence", std::to_string(sequence)}},
                                                       .body = {}},
                                                      kNowUs);
    EXPECT_EQ(reply.status, 200) << reply.body;
    const Json event = Json::parse(reply.body);
    EXPECT_EQ(event["deliveries"].size(), 1u) << event;
    return event["deliveries"].empty() ? Json::object() : event["deliveries"][0];
  }
  std::string Why(storage::Sequence sequence = 3) { return Delivery(sequence).value("why", ""); }

  std::unique_ptr<observe::SinkProbe> sink_ = std::make_unique<observe::SinkProbe>();
  observe::CommitProbe commit_;
  observe::RetentionProbe retention_;
  commit::AppendQueue appends_;
  ingest::Gate gate_;
  bool runs_ = true;
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

TEST_F(WhyNot, SaysThatASinkBeganAfterIt) {
  storage::SettlementBatch batch;
  batch.sink = "billing";
  batch.position = storage::SinkPosition{.offset = 3, .above = {}, .began = 3};
  Settle(batch);
  Routes({{.source = "shop", .types = {}, .sink = "billing"}});
  EXPECT_EQ(Delivery(2)["state"], "no_route");
  EXPECT_EQ(Why(2), "not sent: it was there before this sink, which began at sequence 3");
  EXPECT_EQ(Why(3), "");
}

TEST_F(WhyNot, NamesNoMoreGlobsThanOneReads) {
  config::Route route{.source = "shop", .types = {}, .sink = "billing"};
  for (int i = 0; i < 12; ++i) route.types.push_back("t" + std::to_string(i));
  Routes({route});
  EXPECT_THAT(Why(), HasSubstr("shop t9 and 2 more"));
}

TEST_F(WhyNot, NamesTheSourcesThatARouteLeavesOut) {
  Routes({{.source = "*", .types = {}, .sink = "billing", .except = {"shop", "zoo"}}});
  EXPECT_EQ(Why(),
            "no route: type \"order.paid\" of source shop matches none of: * except shop except zoo *");
}

TEST_F(WhyNot, SaysThatAnEventHasNoTypeToMatch) {
  const storage::Sequence sequence = Put({.id = "untyped", .type = "", .untyped = true});
  Routes({{.source = "shop", .types = {"invoice.*"}, .sink = "billing"}});
  EXPECT_EQ(Why(sequence),
            "no route: the event of source shop has no type, and none of these takes that: shop invoice.*");
}

TEST_F(WhyNot, SaysThatNoRouteLeadsToASinkThatRuns) {
  storage::SettlementBatch batch;
  batch.sink = "billing";
  batch.position = storage::SinkPosition{.offset = 3, .above = {}};
  Settle(batch);
  EXPECT_EQ(Why(), "no route leads to this sink");
}

TEST_F(WhyNot, CountsTheEventsInFrontOfIt) {
  Sink("billing", 0);
  EXPECT_EQ(Why(), "behind in the log by 2 events");
  EXPECT_EQ(Why(1), "next in the log for this sink");
  storage::SettlementBatch batch;
  batch.sink = "billing";
  batch.position = storage::SinkPosition{.offset = 0, .above = {2}};
  Settle(batch);
  EXPECT_EQ(Why(), "behind in the log by 1 event");
}

TEST_F(WhyNot, SaysThatAnAttemptIsUnderWay) {
  Sink("billing", 0);
  sink_->first_attempts.Set(1);
  EXPECT_EQ(Why(1), "its first attempt is under way");
  EXPECT_EQ(Why(2), "behind in the log by 1 event");
  Retry({.sequence = 3, .due_us = kNowUs, .attempts = 4, .last_outcome = std::string(deliver::kUnderWay)});
  EXPECT_EQ(Why(3), "attempt 5 is under way");
}

TEST_F(WhyNot, SaysWhenTheNextAttemptIsAndWhatTheLastCameTo) {
  Sink("billing", 3);
  ScheduleRetry("billing", 3);
  EXPECT_EQ(Why(), "next attempt at 2026-11-21T21:22:01.000000Z because: 503 (2 attempts made)");
  Retry({.sequence = 2, .due_us = kNowUs, .attempts = 1, .last_outcome = ""});
  EXPECT_EQ(Why(2), "next attempt at 2026-11-21T21:22:00.000000Z (1 attempt made)");
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

// What stands in the way of everything, in front of what this event waits for.
TEST_F(WhyNot, NamesWhatHoldsUpTheSink) {
  struct Row {
    std::string pending;   // of event 2; event 1 is in front of it
    std::string retrying;  // of event 3
    std::function<void()> arrange;
  };
  const std::string failing = "the sink keeps failing; one attempt is under way to see whether it works";
  const std::string stalled =
      "the store writes down nothing of what becomes of events, and nothing new is attempted: no room";
  const std::vector<Row> rows = {
      {"", "", [] {}},
      {"no server runs", "no server runs", [this] { runs_ = false; }},
      {"this sink is not configured", "this sink is not configured", [this] { sink_->sink = "archive"; }},
      {"the sink cannot be opened: no such directory", "the sink cannot be opened: no such directory",
       [this] { sink_->cannot_open.Set("no such directory"); }},
      {"the sink has stopped at event 1, which cannot be read", "", [this] { sink_->stopped_at.Set(1); }},
      {"this event cannot be read, and the sink has stopped at it", "", [this] { sink_->stopped_at.Set(2); }},
      {stalled, stalled, [this] { sink_->held.Set("no room"); }},
      {failing, failing, [this] { sink_->breaker_open.Set(1); }},
      {"breaker open until 2026-11-21T21:22:00.000000Z", "breaker open until 2026-11-21T21:22:00.000000Z",
       [this] {
         sink_->breaker_open.Set(1);
         sink_->breaker_until_us.Set(kNowUs);
       }},
      {"as many events as may wait for a retry: 100000", "",
       [this] { sink_->retry_queue_size.Set(limits::kRetryScheduleMax); }},
  };
  Sink("billing", 0);
  ScheduleRetry("billing", 3);
  for (const Row& row : rows) {
    runs_ = true;
    sink_ = std::make_unique<observe::SinkProbe>();
    sink_->sink = "billing";
    row.arrange();
    const auto before = [](const std::string& hindrance) {
      return hindrance.empty() ? "" : hindrance + "; ";
    };
    EXPECT_EQ(Why(2), before(row.pending) + "behind in the log by 1 event");
    const std::string when = row.retrying == failing ? "when it does" : "at 2026-11-21T21:22:01.000000Z";
    EXPECT_EQ(Why(3), before(row.retrying) + "next attempt " + when + " because: 503 (2 attempts made)");
  }
}

TEST_F(WhyNot, NamesNoAttemptThatTheBreakerWillNotLetThrough) {
  Sink("billing", 0);
  ScheduleRetry("billing", 3);
  sink_ = std::make_unique<observe::SinkProbe>();
  sink_->sink = "billing";
  sink_->breaker_open.Set(1);
  sink_->breaker_until_us.Set(kNowUs + 60'000'000);
  EXPECT_EQ(Why(3),
            "breaker open until 2026-11-21T21:23:00.000000Z; next attempt at 2026-11-21T21:23:00.000000Z "
            "because: 503 (2 attempts made)");
}

TEST_F(WhyNot, SaysThatAnEventIsForgotten) {
  Put({.id = "later", .received_at_us = kNowUs + 2 * storage::kWeekUs});
  Sink("billing", 4);
  ASSERT_TRUE(store->TrimBefore(3, std::vector<std::string>{"billing"}));
  const ApiReply reply = Ask("GET", "/events/show", {{"sequence", "2"}});
  EXPECT_EQ(reply.status, 404);
  EXPECT_THAT(reply.body, HasSubstr("event 2 is forgotten: the oldest that is kept is 3"));
  EXPECT_THAT(Ask("GET", "/events/show", {{"sequence", "9"}}).body, HasSubstr("there is no event 9"));
}

}  // namespace
}  // namespace weir::admin
