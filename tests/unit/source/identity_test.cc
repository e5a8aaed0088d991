// What a scheme says about which requests are one event: names, volatile values, test ids, attempts.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "engine/source/scheme.h"
#include "tests/unit/source/support.h"

namespace weir::source {
namespace {

constexpr std::string_view kSigned = R"(
algorithm = "hmac-sha256"
signature = { header = "x-sig", encoding = "hex" }
signed = "{body}"
)";

Source Custom(const std::string& more, OnConflict on_conflict = OnConflict::kDuplicate) {
  const auto scheme = SchemeFrom(std::string(kSigned) + more);
  EXPECT_NE(scheme, nullptr) << more;
  Source source = SourceOf(scheme, {"secret"});
  source.on_conflict = on_conflict;
  return source;
}

struct Seen {
  std::string id, type, malformed, body;
  std::uint64_t substance = 0;
  std::uint32_t attempt = 0;
  bool test = false, untyped = false;
};

class Identities : public testing::Test {
 protected:
  Seen One(const Source& source, OwnedRequest request) {
    const Verdict verdict = verifier_.Verify(source, request.View(), kNowUs);
    const auto* accepted = std::get_if<Accepted>(&verdict);
    if (accepted == nullptr || accepted->events->size() != 1) {
      ADD_FAILURE() << AnswerOf(verdict);
      return {};
    }
    const VerifiedEvent& event = accepted->events->front();
    return {std::string(event.id),
            std::string(event.type),
            std::string(event.malformed),
            std::string(event.body),
            event.substance,
            event.attempt,
            event.test,
            event.untyped};
  }
  Seen One(const Source& source, const std::string& body) { return One(source, Signed(source, body)); }

  Verifier verifier_{7};
};

TEST_F(Identities, UnderStoreTheNameIsMadeOfIdAndContent) {
  const Source source = Custom(R"(event_id = { json = "/id" })", OnConflict::kStore);
  const Seen first = One(source, R"({"id":"a","n":1})");
  EXPECT_TRUE(first.id.starts_with("a#"));
  EXPECT_EQ(first.id.size(), 1 + 17U);
  EXPECT_EQ(One(source, R"({"id":"a","n":1})").id, first.id);
  EXPECT_NE(One(source, R"({"id":"a","n":2})").id, first.id);
  Verifier restarted(8);
  OwnedRequest again = Signed(source, R"({"id":"a","n":1})");
  const Verdict verdict = restarted.Verify(source, again.View(), kNowUs);
  EXPECT_EQ(std::get<Accepted>(verdict).events->front().id, first.id) << "no other run names it otherwise";
}

TEST_F(Identities, UnderStoreWhatIsVolatileIsNotPartOfTheName) {
  const Source source = Custom("event_id = { json = \"/id\" }\nvolatile = \"/try\"", OnConflict::kStore);
  EXPECT_EQ(One(source, R"({"id":"a","try":1})").id, One(source, R"({"id":"a","try":2})").id);
}

TEST_F(Identities, ANameFitsTheLimitOfIds) {
  const Source source = Custom(R"(event_id = { json = "/id" })", OnConflict::kStore);
  const auto body = [](std::size_t bytes) { return R"({"id":")" + std::string(bytes, 'x') + R"("})"; };
  EXPECT_EQ(One(source, body(limits::kEventIdBytesMax - 17)).malformed, "");
  EXPECT_EQ(One(source, body(limits::kEventIdBytesMax - 16)).malformed, "event id is longer than the limit");
}

TEST_F(Identities, VolatileValuesComeAndGoWithoutMakingAnotherEvent) {
  const Source source =
      Custom("event_id = { json = \"/id\" }\nvolatile = [\"/try\", \"/meta/at\", \"/left\"]");
  const std::uint64_t plain = One(source, R"({"id":"a","meta":{"x":1},"n":1})").substance;
  for (const char* same :
       {R"({"try":1,"id":"a","meta":{"x":1},"n":1})", R"({"id":"a","meta":{"x":1,"at":"t"},"n":1})",
        R"({"id":"a","meta":{"at":[1,2],"x":1},"n":1})", R"({"id":"a","meta":{"x":1},"n":1,"left":null})",
        R"({"id":"a","meta":{"x":1},"n":1,"try":{},"left":"\"}"})"}) {
    EXPECT_EQ(One(source, same).substance, plain) << same;
  }
  for (const char* other :
       {R"({"id":"a","meta":{"x":2},"n":1})", R"({"id":"a","meta":{"x":1},"n":1,"tries":1})",
        R"({"id":"a","meta":{"x":1,"try":1},"n":1})"}) {
    EXPECT_NE(One(source, other).substance, plain) << other;
  }
}

TEST_F(Identities, WithoutVolatileValuesTheBodySaysItAll) {
  EXPECT_EQ(One(Custom(R"(event_id = { json = "/id" })"), R"({"id":"a"})").substance, 0U);
}

TEST_F(Identities, ATestIdIsNeverADuplicate) {
  const Source source =
      Custom("event_id = { join = [{ json = \"/id\" }, { json = \"/k\" }] }\ntest_ids = [\"button\"]");
  const Seen first = One(source, R"({"id":"button","k":"1"})");
  const Seen second = One(source, R"({"id":"button","k":"1"})");
  EXPECT_TRUE(first.test && second.test);
  EXPECT_NE(first.id, second.id);
  EXPECT_TRUE(first.id.starts_with("6:button1:1#"));
  EXPECT_FALSE(One(source, R"({"id":"buttons","k":"1"})").test);
}

TEST_F(Identities, AnAlternativeCountsWhereTheFirstGivesNothing) {
  const Source source = Custom(
      R"(event_id = [{ json = "/id" }, { join = [{ json = "/a" }, { json = "/b", optional = true }] }, { header = "x-id" }])");
  EXPECT_EQ(One(source, R"({"id":"i","a":"1"})").id, "i");
  EXPECT_EQ(One(source, R"({"a":"1","b":"2"})").id, "1:11:2");
  OwnedRequest request = Signed(source, R"({"b":"2"})");
  request.headers.emplace_back("x-id", "h");
  EXPECT_EQ(One(source, std::move(request)).id, "h");
}

TEST_F(Identities, APartCountsWhereItsConditionHolds) {
  const Source source = Custom(R"(event_id = { join = [
    { json = "/id" }, { json = "/at", optional = true, when = { json = "/kind", is = "report" } },
  ] })");
  EXPECT_EQ(One(source, R"({"id":"i","at":"t","kind":"report"})").id, "1:i1:t");
  EXPECT_EQ(One(source, R"({"id":"i","at":"t","kind":"other"})").id, "i");
}

TEST_F(Identities, TheSendersCountOfAttemptsGoesAlong) {
  const Source source =
      Custom("event_id = { json = \"/id\" }\nretry_counter = [{ header = \"x-try\" }, { json = \"/try\" }]");
  EXPECT_EQ(One(source, R"({"id":"a"})").attempt, 0U);
  EXPECT_EQ(One(source, R"({"id":"a","try":3})").attempt, 3U);
  EXPECT_EQ(One(source, R"({"id":"a","try":"many"})").attempt, 0U);
  EXPECT_EQ(One(source, R"({"id":"a","try":99999999999})").attempt, 0U);
}

TEST_F(Identities, AVolatileValueOfEveryElementMakesNoDifference) {
  const Source source = Custom("missing_id = \"content_hash\"\nvolatile = \"/files/*/url\"");
  const std::string id = One(source, R"({"files":[{"n":1,"url":"a"},{"url":"b","n":2}]})").id;
  EXPECT_EQ(One(source, R"({"files":[{"n":1,"url":"x"},{"url":{"y":[1]},"n":2}]})").id, id);
  EXPECT_EQ(One(source, R"({"files":[{"n":1},{"n":2}]})").id, id) << "it may come and go";
  EXPECT_NE(One(source, R"({"files":[{"n":1,"url":"a"},{"url":"b","n":3}]})").id, id);
  EXPECT_NE(One(source, R"({"files":[{"n":1,"url":"a"}]})").id, id);
  EXPECT_NE(One(source, R"({"files":{"0":{"n":1,"url":"a"},"1":{"n":2,"url":"b"}}})").id, id);
}

TEST_F(Identities, AKeyThatIsCalledAsteriskIsThatKey) {
  const Source source = Custom("missing_id = \"content_hash\"\nvolatile = \"/files/*/url\"");
  const auto id_with = [&](const char* files) {
    return One(source, std::string(R"({"files":)") + files + "}").id;
  };
  EXPECT_EQ(id_with(R"({"*":{"url":"a"}})"), id_with(R"({"*":{"url":"b"}})"));
  EXPECT_NE(id_with(R"({"k":{"url":"a"}})"), id_with(R"({"k":{"url":"b"}})"));
}

TEST(Windows, AreAsLongAsTheirSendersComeAgain) {
  constexpr std::int64_t kDayS = 86'400;
  const std::pair<const char*, int> kinds[] = {{"adyen", 31},  {"docusign", 16}, {"meta", 8},
                                               {"paddle", 91}, {"stripe", 31},   {"paypal", 31}};
  for (const auto& [kind, days] : kinds) {
    EXPECT_EQ(FindKind(kind)->scheme->event.dedupe_window_s, days * kDayS) << kind;
  }
  EXPECT_TRUE(CompileText(std::string(kSigned) + "event_id = { json = \"/id\" }\ndedupe_window = \"91d\""));
}

TEST(Redelivery, ByHandIsToldOfTheKindsThatHaveIt) {
  for (const char* kind : {"clerk", "github", "gitlab", "paddle", "paypal", "polar", "resend",
                           "standard-webhooks", "stripe", "svix"}) {
    EXPECT_TRUE(FindKind(kind)->scheme->event.redelivered_by_hand) << kind;
  }
  for (const char* kind : {"slack", "zoom", "woocommerce"}) {
    EXPECT_FALSE(FindKind(kind)->scheme->event.redelivered_by_hand) << kind;
  }
}

TEST_F(Identities, AnEventWithoutTheTypeOfItsKindSaysSo) {
  const Source typed = Custom("event_id = { json = \"/id\" }\nevent_type = { json = \"/type\" }");
  EXPECT_FALSE(One(typed, R"({"id":"a","type":"t"})").untyped);
  for (const char* none :
       {R"({"id":"a"})", R"({"id":"a","type":null})", R"({"id":"a","type":{}})", R"({"id":"a","type":""})"}) {
    const Seen seen = One(typed, none);
    EXPECT_TRUE(seen.untyped) << none;
    EXPECT_EQ(seen.malformed, "") << none;
  }
  EXPECT_FALSE(One(Custom(R"(event_id = { json = "/id" })"), R"({"id":"a"})").untyped)
      << "no type is expected";
}

TEST_F(Identities, AGetSaysEverythingInItsQueryButItsCredentials) {
  Source source = SourceOf(SchemeFrom(R"(
algorithm = "token"
covers_body = false
signature = { query = "token" }
methods = ["GET", "POST"]
missing_id = "content_hash"
)"),
                           {"secret"});
  ASSERT_NE(source.scheme, nullptr);
  const auto get = [](const std::string& query) {
    OwnedRequest request;
    request.method = "GET";
    request.target += "?" + query;
    return request;
  };
  const Seen first = One(source, get("a=1&token=secret&b=2"));
  EXPECT_EQ(first.body, "a=1&b=2");
  EXPECT_EQ(One(source, get("token=secret&a=1&b=2")).id, first.id);
  EXPECT_NE(One(source, get("token=secret&a=1&b=3")).id, first.id);
}

TEST(Schemes, RefuseWhatWouldMakeAllEventsOne) {
  for (const char* wrong : {"volatile = \"\"", "volatile = \"try\"", "on_conflict = \"keep\"",
                            "dedupe_window = \"1s\"", "dedupe_window = \"92d\"", "retry_counter = 1"}) {
    EXPECT_FALSE(CompileText(std::string(kSigned) + "event_id = { json = \"/id\" }\n" + wrong)) << wrong;
  }
}

}  // namespace
}  // namespace weir::source
