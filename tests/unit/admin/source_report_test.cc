// What an operator is told of each source when no server runs; with one, see tests/pipeline/witness_test.mjs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/admin/known_sources.h"
#include "engine/admin/time_expression.h"
#include "engine/quarantine/shelf.h"
#include "tests/unit/admin/operator_fixture.h"

namespace weir::admin {
namespace {

class SourceReport : public OperatorTest {
 protected:
  Json Source(const std::string& name) {
    const Json report = Get("/sources");
    EXPECT_FALSE(report["running"]);
    for (const Json& source : report["sources"]) {
      if (source["source"] == name) return source;
    }
    return nullptr;
  }
};

TEST_F(SourceReport, SaysFromTheLogWhenASourceLastReceived) {
  ASSERT_TRUE(RememberSources(*store, {"shop", "idle"}));
  Put({.id = "a", .received_at_us = kNowUs - 5 * kSecondUs});
  Put({.id = "b", .received_at_us = kNowUs});
  Put({.id = "c", .source = "older"});
  EXPECT_EQ(Source("shop")["last_received_at"], FormatTime(kNowUs));
  EXPECT_TRUE(Source("shop")["configured"]);
  EXPECT_TRUE(Source("idle")["last_received_at"].is_null());
  EXPECT_FALSE(Source("older")["configured"]);
}

TEST_F(SourceReport, SaysFromTheQuarantineWhatWasLastRefused) {
  ASSERT_TRUE(RememberSources(*store, {"shop"}));
  quarantine::Shelf shelf(options.directory / quarantine::kDirectoryName);
  for (const char* id : {"00000000000000aa", "00000000000000bb"}) {
    ASSERT_TRUE(shelf.Add({.received_at_us = kNowUs,
                           .source = "shop",
                           .reason = "stale_timestamp",
                           .request_id = id,
                           .method = "POST",
                           .target = "/",
                           .headers = {},
                           .body = "{}"},
                          1 << 20));
  }
  const Json refused = Source("shop")["last_refused"];
  EXPECT_EQ(refused["code"], "stale_timestamp");
  EXPECT_EQ(refused["correlation_id"], "00000000000000bb");
  const Json shown = Get("/quarantine/show", {{"id", "00000000000000aa"}});
  EXPECT_EQ(shown["correlation_id"], "00000000000000aa");
  EXPECT_EQ(Get("/quarantine", {{"id", "00000000000000aa"}})["total"], 1);
  EXPECT_EQ(Ask("GET", "/quarantine/show", {{"id", "00000000000000cc"}}).status, 404);
}

}  // namespace
}  // namespace weir::admin
