#include "engine/admin/dead_letter_endpoints.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/admin/operator_fixture.h"

namespace weir::admin {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class DeadLetters : public OperatorTest {
 protected:
  // a and c are dead at billing, b at crm; d never was deliverable.
  DeadLetters() {
    Put({.id = "a", .type = "invoice.paid"});
    Put({.id = "b", .type = "invoice.paid"});
    Put({.id = "c", .type = "charge.paid"});
    Put({.id = "d", .malformed = "no event id at /id"});
    Sink("billing", 4);
    Sink("crm", 4);
    Bury("billing", 1, kNowUs - 7200 * kSecondUs);
    Bury("billing", 3, kNowUs - 60 * kSecondUs);
    Bury("crm", 2, kNowUs - 60 * kSecondUs);
    Bury("-", 4);
  }
  std::vector<std::string> Left() { return Ids(Get("/dlq"), "dead_letters"); }
};

TEST_F(DeadLetters, AreListedWithTheirEventTheOneThatDiedLastFirst) {
  const Json page = Get("/dlq");
  EXPECT_THAT(Ids(page, "dead_letters"), ElementsAre("d", "b", "c", "a"));
  EXPECT_FALSE(page["more"]);
  EXPECT_EQ(page["total"], 4);
  EXPECT_EQ(page["dead_letters"][3]["sink"], "billing");
  EXPECT_EQ(page["dead_letters"][3]["type"], "invoice.paid");
  EXPECT_EQ(page["dead_letters"][3]["attempts"], 5);
}

TEST_F(DeadLetters, AreFilteredBySinkTypeIdAndTimeOfDeath) {
  EXPECT_THAT(Ids(Get("/dlq", {{"sink", "billing"}}), "dead_letters"), ElementsAre("c", "a"));
  EXPECT_THAT(Ids(Get("/dlq", {{"type", "invoice.*"}}), "dead_letters"), ElementsAre("b", "a"));
  EXPECT_THAT(Ids(Get("/dlq", {{"id", "c"}}), "dead_letters"), ElementsAre("c"));
  EXPECT_THAT(Ids(Get("/dlq", {{"sink", "billing"}, {"since", "1h"}}), "dead_letters"), ElementsAre("c"));
  EXPECT_EQ(Ask("GET", "/dlq", {{"sink", "bill"}}).status, 400);
}

TEST_F(DeadLetters, AreWalkedPageByPage) {
  Json page = Get("/dlq", {{"limit", "2"}});
  EXPECT_THAT(Ids(page, "dead_letters"), ElementsAre("d", "b"));
  EXPECT_TRUE(page["more"]);
  page = Get("/dlq", {{"limit", "2"}, {"after", page["after"].get<std::string>()}});
  EXPECT_THAT(Ids(page, "dead_letters"), ElementsAre("c", "a"));
  EXPECT_FALSE(page["more"]);
}

TEST_F(DeadLetters, RetriedOfflineAreDueAtOnceWithAllTheirAttempts) {
  const Json reply = Post("/dlq/retry", {{"id", "a"}});
  EXPECT_EQ(reply["done"], 1);
  EXPECT_EQ(reply["sinks"]["billing"], 1);
  EXPECT_THAT(Left(), ElementsAre("d", "b", "c"));
  const auto retries = store->LoadRetries("billing");
  ASSERT_TRUE(retries);
  ASSERT_THAT(*retries, SizeIs(1));
  EXPECT_EQ(retries->front().sequence, 1u);
  EXPECT_EQ(retries->front().due_us, kNowUs);
  EXPECT_EQ(retries->front().attempts, 0u);
}

TEST_F(DeadLetters, DroppedAreGoneAndTheirEventsStay) {
  EXPECT_EQ(Post("/dlq/drop", {{"sink", "billing"}})["done"], 2);
  EXPECT_THAT(Left(), ElementsAre("d", "b"));
  EXPECT_EQ(Get("/events/count")["count"], 4);
  EXPECT_EQ(Get("/events/show", {{"sequence", "1"}})["state"], "delivered");
}

TEST_F(DeadLetters, SurviveADryRun) {
  const Json reply = Post("/dlq/drop", {{"all", "1"}, {"dry_run", "1"}});
  EXPECT_EQ(reply["matched"], 4);
  EXPECT_EQ(reply["done"], 0);
  EXPECT_THAT(Left(), SizeIs(4));
}

TEST_F(DeadLetters, ThatNeverWereDeliverableCanBeDroppedButNotRetried) {
  const Json reply = Post("/dlq/retry", {{"all", "1"}});
  EXPECT_EQ(reply["done"], 3);
  EXPECT_EQ(reply["skipped"][0]["sink"], "-");
  EXPECT_EQ(reply["skipped"][0]["count"], 1);
  EXPECT_THAT(Left(), ElementsAre("d"));
  EXPECT_EQ(Post("/dlq/drop", {{"sink", "-"}})["done"], 1);
  EXPECT_THAT(Left(), IsEmpty());
}

TEST_F(DeadLetters, AreNotTouchedWithoutAFilterOrAll) {
  EXPECT_EQ(Ask("POST", "/dlq/drop").status, 400);
  EXPECT_EQ(Ask("POST", "/dlq/drop", {{"dry_run", "1"}}).status, 400);
  EXPECT_EQ(Ask("POST", "/dlq/drop", {{"sink", ""}}).status, 400);
  EXPECT_EQ(Ask("POST", "/dlq/drop", {{"sink", "billing"}, {"all", "1"}}).status, 400);
  EXPECT_EQ(Ask("POST", "/dlq/drop", {{"sinks", "billing"}}).status, 400);
  EXPECT_EQ(Ask("GET", "/dlq/drop", {{"all", "1"}}).status, 405);
  EXPECT_THAT(Left(), SizeIs(4));
}

TEST_F(DeadLetters, AreActedOnInStepsThatSayWhereTheNextBegins) {
  const Json reply = Post("/dlq/drop", {{"all", "1"}, {"after", "billing/1"}});
  EXPECT_EQ(reply["done"], 2);
  EXPECT_THAT(Left(), ElementsAre("d", "a"));
  EXPECT_EQ(Ask("POST", "/dlq/drop", {{"all", "1"}, {"after", "billing"}}).status, 400);
}

// What a worker would be told, while a server runs.
class DeadLettersOnline : public DeadLetters {
 protected:
  Json PostLive(const std::string& path, Parameters parameters) {
    const Wiring wiring{.store = *store,
                        .data = options.directory,
                        .live = Live{.shards = {},
                                     .commit = commit_,
                                     .retention = retention_,
                                     .appends = appends_,
                                     .gate = gate_,
                                     .visit_sinks = [](const auto&) {},
                                     .submit =
                                         [this](std::string_view sink, deliver::DeadLetterAction action) {
                                           if (sink != "billing") return false;
                                           submitted_.push_back(std::move(action));
                                           return true;
                                         },
                                     .min_free_disk_bytes = 0,
                                     .ring_mode = "test",
                                     .started_at_us = kNowUs}};
    const ApiReply reply = OperatorApi(wiring).Handle(
        {.method = "POST", .path = path, .parameters = std::move(parameters), .body = {}}, kNowUs);
    EXPECT_EQ(reply.status, 200) << reply.body;
    return Json::parse(reply.body);
  }

  observe::CommitProbe commit_;
  observe::RetentionProbe retention_;
  commit::AppendQueue appends_;
  ingest::Gate gate_;
  std::vector<deliver::DeadLetterAction> submitted_;
};

TEST_F(DeadLettersOnline, AreLeftToTheirSinksWorker) {
  EXPECT_EQ(PostLive("/dlq/retry", {{"sink", "billing"}})["done"], 2);
  ASSERT_THAT(submitted_, SizeIs(1));
  EXPECT_EQ(submitted_[0].kind, deliver::DeadLetterAction::Kind::kRetry);
  EXPECT_THAT(submitted_[0].sequences, ElementsAre(1, 3));
  EXPECT_THAT(Left(), SizeIs(4)) << "the worker is the only writer of its sink's state";
}

TEST_F(DeadLettersOnline, OfASinkThatIsNotConfiguredCanOnlyBeDropped) {
  const Json retry = PostLive("/dlq/retry", {{"sink", "crm"}});
  EXPECT_EQ(retry["done"], 0);
  EXPECT_EQ(retry["skipped"][0]["sink"], "crm");
  EXPECT_EQ(PostLive("/dlq/drop", {{"sink", "crm"}})["done"], 1);
  EXPECT_THAT(Left(), ElementsAre("d", "c", "a"));
}

}  // namespace
}  // namespace weir::admin
