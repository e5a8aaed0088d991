#include "engine/admin/event_endpoints.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/admin/event_query.h"
#include "engine/limits.h"
#include "tests/unit/admin/operator_fixture.h"

namespace weir::admin {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

using Events = OperatorTest;

TEST_F(Events, AreListedNewestFirstUpToTheLimit) {
  for (const char* id : {"a", "b", "c", "d"}) Put({.id = id});
  const Json page = Get("/events", {{"limit", "3"}});
  EXPECT_THAT(Ids(page, "events"), ElementsAre("d", "c", "b"));
  EXPECT_FALSE(page["finished"]);
  EXPECT_THAT(Ids(Get("/events", {{"before", page["before"].dump()}}), "events"), ElementsAre("a"));
}

TEST_F(Events, OfAnEmptyStoreAreNone) {
  const Json page = Get("/events");
  EXPECT_THAT(page["events"], IsEmpty());
  EXPECT_TRUE(page["finished"]);
}

TEST_F(Events, AreFilteredBySourceTypeAndId) {
  Put({.id = "a", .type = "invoice.paid", .source = "stripe"});
  Put({.id = "b", .type = "invoice.failed", .source = "stripe"});
  Put({.id = "c", .type = "charge.paid", .source = "stripe"});
  Put({.id = "d", .type = "invoice.paid", .source = "other"});
  EXPECT_THAT(Ids(Get("/events", {{"source", "stripe"}, {"type", "invoice.*"}}), "events"),
              ElementsAre("b", "a"));
  EXPECT_THAT(Ids(Get("/events", {{"id", "c"}}), "events"), ElementsAre("c"));
}

TEST_F(Events, AreFilteredByTimeOfReceipt) {
  Put({.id = "old", .received_at_us = kNowUs - 7200 * kSecondUs});
  Put({.id = "edge", .received_at_us = kNowUs - 3600 * kSecondUs});
  Put({.id = "new", .received_at_us = kNowUs - 60 * kSecondUs});
  EXPECT_THAT(Ids(Get("/events", {{"since", "1h"}}), "events"), ElementsAre("new", "edge"));
  EXPECT_THAT(Ids(Get("/events", {{"until", "1h"}}), "events"), ElementsAre("old"));
  EXPECT_THAT(Ids(Get("/events", {{"since", "2026-11-21T20:00:00Z"}, {"until", "1m"}}), "events"),
              ElementsAre("edge"));
}

// Shards commit a moment out of order: a filter must not stop at the first event on the wrong side.
TEST_F(Events, OutOfOrderOfReceiptAreStillFound) {
  Put({.id = "a", .received_at_us = kNowUs - 100 * kSecondUs});
  Put({.id = "late", .received_at_us = kNowUs - 300 * kSecondUs});
  Put({.id = "b", .received_at_us = kNowUs - 90 * kSecondUs});
  EXPECT_THAT(Ids(Get("/events", {{"since", "2m"}}), "events"), ElementsAre("b", "a"));
  EXPECT_EQ(Get("/events/count", {{"until", "2m"}})["count"], 1);
}

TEST_F(Events, CarryTheirState) {
  for (const char* id : {"delivered", "retrying", "dead", "pending"}) Put({.id = id});
  Put({.id = "bad", .malformed = "no event id at /id"});
  Sink("billing", 3);
  ScheduleRetry("billing", 2);
  Bury("billing", 3);
  const Json listed = Get("/events");
  for (const Json& event : listed["events"]) {
    const std::string id = event["id"];
    EXPECT_EQ(event["state"], id == "bad" ? "malformed" : id);
  }
  EXPECT_THAT(Ids(Get("/events", {{"state", "dead"}}), "events"), ElementsAre("dead"));
  EXPECT_EQ(Get("/events/count", {{"state", "pending"}})["count"], 1);
}

TEST_F(Events, AreCountedInStepsThatSayWhereTheNextBegins) {
  for (int i = 0; i < 10; ++i) Put({.id = std::to_string(i)});
  const Json all = Get("/events/count");
  EXPECT_EQ(all["count"], 10);
  EXPECT_EQ(all["next"], 11);
  EXPECT_TRUE(all["finished"]);
  EXPECT_EQ(Get("/events/count", {{"from", "8"}})["count"], 3);
}

TEST_F(Events, TwoChunksApartAreWalkedWithoutGapOrRepeat) {
  for (int i = 1; i <= 600; ++i) Put({.id = std::to_string(i)});
  std::vector<std::string> seen;
  Parameters parameters = {{"limit", "77"}};
  for (bool finished = false; !finished;) {
    const Json page = Get("/events", parameters);
    for (auto& id : Ids(page, "events")) seen.push_back(id);
    parameters["before"] = page["before"].dump();
    finished = page["finished"].get<bool>();
  }
  ASSERT_EQ(seen.size(), 600u);
  for (int i = 0; i < 600; ++i) EXPECT_EQ(seen[static_cast<std::size_t>(i)], std::to_string(600 - i));
}

TEST_F(Events, ShowTheirFateAtEverySink) {
  Put({.id = "a"});
  Sink("archive", 1);
  Sink("billing", 1);
  Sink("crm", 1);
  Bury("billing", 1);
  ScheduleRetry("crm", 1);
  const Json event = Get("/events/show", {{"sequence", "1"}});
  EXPECT_EQ(event["state"], "dead");
  ASSERT_EQ(event["deliveries"].size(), 3u);
  EXPECT_EQ(event["deliveries"][0]["state"], "delivered");
  EXPECT_EQ(event["deliveries"][1]["reason"], "attempts_exhausted");
  EXPECT_EQ(event["deliveries"][1]["last_answer"], "no thanks");
  EXPECT_EQ(event["deliveries"][2]["last_outcome"], "503");
}

TEST_F(Events, ShowTheBodyOnlyOnDemand) {
  Put({.id = "a", .body = "secret payload"});
  EXPECT_THAT(Ask("GET", "/events/show", {{"sequence", "1"}}).body, Not(HasSubstr("body_base64")));
  EXPECT_EQ(Get("/events/show", {{"sequence", "1"}, {"body", "1"}})["body_base64"], "c2VjcmV0IHBheWxvYWQ=");
  EXPECT_EQ(Get("/events/show", {{"sequence", "1"}})["body_bytes"], 14);
}

TEST_F(Events, NeverShowAHeaderThatMayHoldASecret) {
  Put({.id = "a",
       .headers = "X-Gitlab-Token: hunter2hunter2\r\nAuthorization: Basic hunter2\r\nStripe-Signature: "
                  "t=1,v1=hunter2\r\nUser-Agent: Stripe/1.0\r\n"});
  const std::string text = Ask("GET", "/events/show", {{"sequence", "1"}}).body;
  EXPECT_THAT(text, Not(HasSubstr("hunter2")));
  EXPECT_THAT(text, HasSubstr("Stripe/1.0"));
  EXPECT_EQ(Json::parse(text)["headers"][0]["hidden_bytes"], 14);
}

TEST_F(Events, AreFoundByTheirSendersId) {
  Put({.id = "a"});
  Put({.id = "b"});
  EXPECT_EQ(Get("/events/show", {{"source", "shop"}, {"id", "b"}})["sequence"], 2);
  EXPECT_EQ(Ask("GET", "/events/show", {{"source", "shop"}, {"id", "nope"}}).status, 404);
  EXPECT_EQ(Ask("GET", "/events/show", {{"sequence", "9"}}).status, 404);
}

TEST_F(Events, WithBytesThatAreNotUtf8MakeValidJson) {
  Put({.id = "\xff\x1b[31m"});
  EXPECT_EQ(Get("/events")["events"].size(), 1u);
}

class DamagedEvents : public OperatorTest {
 protected:
  // Of the events there are, that whose body holds `text`.
  void Damage(std::string_view text) {
    Reopen();
    store.reset();
    for (const auto& table : DatabaseFiles(".sst")) {
      const std::size_t at = Read(table).find(text);
      if (at != std::string::npos) FlipByte(table, at);
    }
    Open();
  }
};

class WithADamagedEvent : public DamagedEvents {
 protected:
  WithADamagedEvent() {
    for (const char* id : {"a", "b", "c", "d"}) Put({.id = id, .body = "body of " + std::string(id)});
    Damage("body of c");
    Put({.id = "e"});
  }
};

TEST_F(WithADamagedEvent, ListsCountsAndExportsAllOthersAndNamesIt) {
  const Json named = {{"count", 1}, {"sequences", {3}}};
  const Json list = Get("/events");
  EXPECT_THAT(Ids(list, "events"), ElementsAre("e", "d", "b", "a"));
  EXPECT_EQ(list["unreadable"], named);
  const Json count = Get("/events/count", {{"source", "shop"}});
  EXPECT_EQ(count["count"], 4);
  EXPECT_EQ(count["unreadable"], named);
  const ApiReply page = Ask("GET", "/export", {{"format", "csv"}});
  EXPECT_EQ(page.status, 200);
  EXPECT_THAT(page.headers, testing::Contains(testing::Pair(kUnreadableHeader, "1 3")));
  EXPECT_THAT(page.body, HasSubstr("\n5,e,"));
}

TEST_F(WithADamagedEvent, ASoundPartOfTheLogSaysNothingOfIt) {
  EXPECT_FALSE(Get("/events", {{"limit", "1"}, {"before", "3"}}).contains("unreadable"));
  EXPECT_FALSE(Get("/events/count", {{"from", "4"}, {"source", "shop"}}).contains("unreadable"));
}

TEST_F(WithADamagedEvent, OthersAreFoundByTheirId) {
  EXPECT_EQ(Get("/events/show", {{"source", "shop"}, {"id", "b"}})["sequence"], 2);
  EXPECT_EQ(Ask("GET", "/events/show", {{"sequence", "3"}}).status, 500);
}

TEST_F(DamagedEvents, AtTheEndOfTheLogAreNamedOnce) {
  for (const char* id : {"a", "b"}) Put({.id = id, .body = "body of " + std::string(id)});
  Damage("body of b");
  const Json first = Get("/events/count", {{"source", "shop"}});
  EXPECT_EQ(first["count"], 1);
  EXPECT_EQ(first["next"], 3);
  EXPECT_FALSE(Get("/events/count", {{"source", "shop"}, {"from", "3"}}).contains("unreadable"));
}

TEST_F(Events, RefuseParametersThatAreWrong) {
  for (const Parameters& parameters : std::vector<Parameters>{{{"sauce", "stripe"}},
                                                              {{"source", ""}},
                                                              {{"since", "yesterday"}},
                                                              {{"state", "lost"}},
                                                              {{"limit", "0"}},
                                                              {{"limit", "1001"}},
                                                              {{"limit", "ten"}},
                                                              {{"before", "-1"}},
                                                              {{"before", "99999999999999999999"}}}) {
    const ApiReply reply = Ask("GET", "/events", parameters);
    EXPECT_EQ(reply.status, 400) << parameters.begin()->first;
    EXPECT_EQ(Json::parse(reply.body)["error"]["code"], "bad_parameter");
  }
  EXPECT_EQ(Ask("GET", "/events/show").status, 400);
  EXPECT_EQ(Ask("GET", "/events/show", {{"id", "a"}}).status, 400);
}

TEST_F(Events, AnswerOnlyTheMethodsTheyHave) {
  const ApiReply reply = Ask("DELETE", "/events");
  EXPECT_EQ(reply.status, 405);
  EXPECT_THAT(reply.headers, ElementsAre(testing::Pair("Allow", "GET")));
  EXPECT_EQ(Ask("GET", "/everything").status, 404);
}

std::string Header(const ApiReply& reply, const std::string& name) {
  for (const auto& [key, value] : reply.headers) {
    if (key == name) return value;
  }
  return "";
}

using Export = OperatorTest;

TEST_F(Export, IsOneCloudEventALine) {
  Put({.id = "a", .type = "order.paid"});
  Put({.id = "b", .type = "order.sent", .body = "not json"});
  Sink("billing", 1);
  const ApiReply reply = Ask("GET", "/export");
  EXPECT_EQ(reply.content_type, "application/x-ndjson");
  std::istringstream lines(reply.body);
  std::string line;
  ASSERT_TRUE(std::getline(lines, line));
  const Json first = Json::parse(line);
  EXPECT_EQ(first["specversion"], "1.0");
  EXPECT_EQ(first["id"], "a");
  EXPECT_EQ(first["source"], "weir/shop");
  EXPECT_EQ(first["weirsequence"], 1);
  EXPECT_EQ(first["weirstate"], "delivered");
  EXPECT_EQ(first["data"]["ok"], true);
  ASSERT_TRUE(std::getline(lines, line));
  const Json second = Json::parse(line);
  EXPECT_EQ(second["weirstate"], "pending");
  EXPECT_EQ(second["data_base64"], "bm90IGpzb24=");
  EXPECT_FALSE(std::getline(lines, line));
}

TEST_F(Export, AsCsvHasAHeaderRowOnDemandAndQuotesWhatNeedsIt) {
  Put({.id = "a,\"1\"", .type = "order.paid", .body = "x"});
  const ApiReply reply = Ask("GET", "/export", {{"format", "csv"}, {"header", "1"}});
  EXPECT_EQ(reply.body,
            "sequence,id,source,type,state,received_at,body_base64\r\n"
            "1,\"a,\"\"1\"\"\",shop,order.paid,unrouted,2026-11-21T21:21:00.000000Z,eA==\r\n");
  EXPECT_THAT(Ask("GET", "/export", {{"format", "csv"}}).body, testing::StartsWith("1,"));
}

TEST_F(Export, SaysWhereToGoOn) {
  for (const char* id : {"a", "b", "c"}) Put({.id = id});
  const ApiReply all = Ask("GET", "/export");
  EXPECT_EQ(Header(all, kNextSequenceHeader), "4");
  EXPECT_EQ(Header(all, kFinishedHeader), "1");
  EXPECT_EQ(Header(all, kEventsHeader), "3");
  const ApiReply rest = Ask("GET", "/export", {{"from", "4"}});
  EXPECT_EQ(rest.body, "");
  EXPECT_EQ(Header(rest, kNextSequenceHeader), "4");
  Put({.id = "d"});
  EXPECT_EQ(Header(Ask("GET", "/export", {{"from", "4"}}), kEventsHeader), "1");
}

TEST_F(Export, MovesOnPastWhatItsFilterLeavesOut) {
  for (const char* id : {"a", "b", "c"}) Put({.id = id});
  const ApiReply reply = Ask("GET", "/export", {{"type", "never.*"}});
  EXPECT_EQ(reply.body, "");
  EXPECT_EQ(Header(reply, kNextSequenceHeader), "4");
}

TEST_F(Export, StopsAPageOnceItIsLarge) {
  for (int i = 0; i < 5; ++i) Put({.id = std::to_string(i), .body = std::string(2 << 20, 'x')});
  const ApiReply reply = Ask("GET", "/export");
  EXPECT_EQ(Header(reply, kFinishedHeader), "0");
  EXPECT_EQ(Header(reply, kEventsHeader), "2");  // base64 makes each of them 2.7 MiB
  EXPECT_LT(reply.body.size(), limits::kExportPageBytes + (3u << 20));
}

using Cursors = OperatorTest;

TEST_F(Cursors, KeepTheirTextAcrossARestart) {
  EXPECT_TRUE(Get("/cursor", {{"name", "lake"}})["value"].is_null());
  EXPECT_EQ(Ask("PUT", "/cursor", {{"name", "lake"}}, "42").status, 200);
  Reopen();
  EXPECT_EQ(Get("/cursor", {{"name", "lake"}})["value"], "42");
}

TEST_F(Cursors, RefuseANameOrATextThatDoesNotFit) {
  EXPECT_EQ(Ask("PUT", "/cursor", {{"name", "a/b"}}, "1").status, 400);
  EXPECT_EQ(Ask("PUT", "/cursor", {{"name", std::string(65, 'a')}}, "1").status, 400);
  EXPECT_EQ(Ask("PUT", "/cursor", {}, "1").status, 400);
  EXPECT_EQ(Ask("PUT", "/cursor", {{"name", "a"}}, std::string(5000, 'x')).status, 413);
}

}  // namespace
}  // namespace weir::admin
