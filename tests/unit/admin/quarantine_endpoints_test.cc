#include "engine/admin/quarantine_endpoints.h"

#include "engine/admin/time_expression.h"
#include "engine/quarantine/shelf.h"
#include "tests/unit/admin/operator_fixture.h"

namespace weir::admin {
namespace {

class QuarantineEndpointsTest : public OperatorTest {
 protected:
  // Kept as a server would have; its id.
  std::string Keep(std::int64_t received_at_us, const std::string& source = "shop",
                   const std::string& reason = "invalid_signature") {
    quarantine::Shelf shelf(options.directory / quarantine::kDirectoryName);
    const auto added = shelf.Add({.received_at_us = received_at_us,
                                  .source = source,
                                  .reason = reason,
                                  .request_id = {},
                                  .method = "POST",
                                  .target = "/webhooks/" + source,
                                  .headers = "Content-Type: application/json\r\nX-Signature: abcdef\r\n",
                                  .body = R"({"a":1})"},
                                 1 << 20);
    EXPECT_TRUE(added) << added.error();
    return Get("/quarantine", {{"limit", "1000"}, {"source", source}}).at("entries").front().at("id");
  }
  static std::vector<std::string> Ids(const Json& reply) { return OperatorTest::Ids(reply, "entries"); }
};

TEST_F(QuarantineEndpointsTest, ListsWhatIsKeptWithoutItsPayload) {
  EXPECT_TRUE(Get("/quarantine").at("entries").empty());
  const std::string id = Keep(kNowUs);
  const Json reply = Get("/quarantine");
  ASSERT_EQ(Ids(reply), std::vector{id});
  const Json& entry = reply.at("entries")[0];
  EXPECT_EQ(entry.at("source"), "shop");
  EXPECT_EQ(entry.at("reason"), "invalid_signature");
  EXPECT_EQ(entry.at("received_at"), FormatTime(kNowUs));
  EXPECT_EQ(entry.at("body_bytes"), 7);
  EXPECT_FALSE(entry.contains("headers"));
  EXPECT_FALSE(entry.contains("body_base64"));
}

TEST_F(QuarantineEndpointsTest, FiltersAndGoesOnPageByPage) {
  const std::string a = Keep(kNowUs - 3 * kSecondUs);
  const std::string b = Keep(kNowUs - 2 * kSecondUs, "shop", "stale_timestamp");
  const std::string c = Keep(kNowUs - 1 * kSecondUs);
  const std::string d = Keep(kNowUs, "zoo");
  EXPECT_EQ(Ids(Get("/quarantine")), (std::vector{d, c, b, a}));
  EXPECT_EQ(Ids(Get("/quarantine", {{"source", "zoo"}})), std::vector{d});
  EXPECT_EQ(Ids(Get("/quarantine", {{"reason", "stale_timestamp"}})), std::vector{b});
  EXPECT_EQ(Ids(Get("/quarantine", {{"since", FormatTime(kNowUs - kSecondUs)}})), (std::vector{d, c}));
  EXPECT_EQ(Ids(Get("/quarantine", {{"until", FormatTime(kNowUs - 2 * kSecondUs)}})), std::vector{a});
  EXPECT_EQ(Ids(Get("/quarantine", {{"id", b}})), std::vector{b});
  const Json first = Get("/quarantine", {{"limit", "3"}});
  EXPECT_EQ(first.at("more"), true);
  const Json rest = Get("/quarantine", {{"limit", "3"}, {"after", first.at("after").get<std::string>()}});
  EXPECT_EQ(Ids(rest), std::vector{a});
  EXPECT_EQ(rest.at("total"), 4);
  EXPECT_EQ(rest.at("more"), false);
}

TEST_F(QuarantineEndpointsTest, SaysWhatIsTorn) {
  Keep(kNowUs);
  const auto directory = options.directory / quarantine::kDirectoryName / "shop";
  const auto segment = std::filesystem::directory_iterator(directory)->path();
  std::filesystem::resize_file(segment, std::filesystem::file_size(segment) - 1);
  const Json reply = Get("/quarantine");
  EXPECT_TRUE(reply.at("entries").empty());
  ASSERT_EQ(reply.at("torn").size(), 1U);
  EXPECT_EQ(reply.at("torn")[0].at("source"), "shop");
}

TEST_F(QuarantineEndpointsTest, ShowsTheBodyOnDemandAndNoCredential) {
  const std::string id = Keep(kNowUs);
  const Json entry = Get("/quarantine/show", {{"id", id}});
  EXPECT_EQ(entry.at("target"), "/webhooks/shop");
  EXPECT_EQ(entry.at("headers")[0].at("value"), "application/json");
  EXPECT_EQ(entry.at("headers")[1].at("hidden_bytes"), 6);
  EXPECT_FALSE(entry.contains("body_base64"));
  EXPECT_EQ(Get("/quarantine/show", {{"id", id}, {"body", "1"}}).at("body_base64"), "eyJhIjoxfQ==");
  EXPECT_EQ(Ask("GET", "/quarantine/show", {{"id", "shop:1:8"}}).status, 404);
  EXPECT_EQ(Ask("GET", "/quarantine/show", {{"id", "../shop:1:8"}}).status, 400);
}

TEST_F(QuarantineEndpointsTest, DropsWhatMatchesAndNothingElse) {
  const std::string a = Keep(kNowUs - kSecondUs);
  const std::string b = Keep(kNowUs, "zoo");
  const Json dry = Post("/quarantine/drop", {{"source", "shop"}, {"dry_run", "1"}});
  EXPECT_EQ(dry.at("matched"), 1);
  EXPECT_EQ(Ids(Get("/quarantine")), (std::vector{b, a}));
  EXPECT_EQ(Post("/quarantine/drop", {{"source", "shop"}}).at("done"), 1);
  EXPECT_EQ(Ids(Get("/quarantine")), std::vector{b});
  EXPECT_EQ(Post("/quarantine/drop", {{"all", "1"}}).at("done"), 1);
  EXPECT_TRUE(Ids(Get("/quarantine")).empty());
}

TEST_F(QuarantineEndpointsTest, WantsAFilterOrAllAndAKnownOne) {
  EXPECT_EQ(Ask("POST", "/quarantine/drop").status, 400);
  EXPECT_EQ(Ask("POST", "/quarantine/drop", {{"all", "1"}, {"source", "shop"}}).status, 400);
  EXPECT_EQ(Ask("GET", "/quarantine", {{"sourse", "shop"}}).status, 400);
  EXPECT_EQ(Ask("GET", "/quarantine", {{"source", "../store"}}).status, 400);
  EXPECT_EQ(Ask("GET", "/quarantine", {{"source", ".."}}).status, 400);
}

TEST_F(QuarantineEndpointsTest, AdmitsNothingWithoutAServer) {
  const std::string id = Keep(kNowUs);
  EXPECT_EQ(Ask("POST", "/quarantine/admit", {{"id", id}}).status, 409);
  EXPECT_EQ(Ids(Get("/quarantine")), std::vector{id});
}

}  // namespace
}  // namespace weir::admin
