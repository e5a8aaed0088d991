// A name in a filter that nothing has is an error, and says what there is.
#include "engine/admin/known_names.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/admin/known_sources.h"
#include "tests/unit/admin/operator_fixture.h"

namespace weir::admin {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

class KnownNames : public OperatorTest {
 protected:
  KnownNames() {
    Put({.id = "a", .source = "shop"});
    Put({.id = "b", .source = "older"});
    Sink("billing", 2);
    Bury("billing", 1);
    EXPECT_TRUE(RememberSources(*store, {"shop", "stripe"}));
  }
  std::string Refused(const std::string& path, const Parameters& parameters) {
    const ApiReply reply = Ask("GET", path, parameters);
    EXPECT_EQ(reply.status, 400) << path;
    return reply.body;
  }
};

TEST_F(KnownNames, OfSourcesAreThoseConfiguredOnceConfiguredAndInTheLog) {
  EXPECT_TRUE(RememberSources(*store, {"stripe"}));
  for (const char* name : {"shop", "stripe", "older"}) {
    EXPECT_EQ(Ask("GET", "/events", {{"source", name}}).status, 200) << name;
  }
  for (const char* path : {"/events", "/events/count", "/export", "/dlq", "/dlq/count", "/quarantine"}) {
    EXPECT_THAT(Refused(path, {{"source", "strip"}}), AllOf(HasSubstr("did you mean"), HasSubstr("stripe")))
        << path;
  }
}

TEST_F(KnownNames, OfSinksAreThoseWithARouteAPositionOrLetters) {
  EXPECT_EQ(Ask("GET", "/dlq", {{"sink", "billing"}}).status, 200);
  EXPECT_EQ(Ask("GET", "/dlq", {{"sink", "-"}}).status, 200);
  EXPECT_THAT(Refused("/dlq", {{"sink", "biling"}}), HasSubstr("billing"));
}

TEST_F(KnownNames, OfReasonsAreThoseALetterCanHave) {
  for (const char* reason : {"attempts_exhausted", "410", "no longer in the log"}) {
    EXPECT_EQ(Ask("GET", "/dlq", {{"reason", reason}}).status, 200) << reason;
  }
  EXPECT_THAT(Refused("/dlq", {{"reason", "attempts"}}), HasSubstr("attempts_exhausted"));
  EXPECT_EQ(Ask("GET", "/quarantine", {{"reason", "stale_timestamp"}}).status, 200);
  EXPECT_THAT(Refused("/quarantine", {{"reason", "invalid_sig"}}), HasSubstr("invalid_signature"));
}

TEST_F(KnownNames, RefuseNothingInAStoreThatNoServerHasNamedSourcesIn) {
  ASSERT_TRUE(store->PutMeta("sources", ""));
  EXPECT_EQ(Ask("GET", "/events", {{"source", "anything"}}).status, 200);
}

TEST_F(KnownNames, OfFormerSourcesAreRememberedAndToldApart) {
  ASSERT_TRUE(RememberSources(*store, {"zoo"}));
  const auto known = KnownSources(*store);
  ASSERT_TRUE(known);
  EXPECT_THAT(FormerNames(*known), ElementsAre("shop", "stripe"));
  ASSERT_TRUE(RememberSources(*store, {"shop"}));
  EXPECT_THAT(FormerNames(*KnownSources(*store)), ElementsAre("stripe", "zoo"));
}

}  // namespace
}  // namespace weir::admin
