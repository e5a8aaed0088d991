#include "engine/ingest/admission.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <string_view>

#include "engine/ingest/route.h"
#include "engine/limits.h"

namespace weir::ingest {
namespace {

using observe::RejectionCode;

http::Request Post(std::uint64_t length) {
  http::Request request;
  request.method = http::Method::kPost;
  request.content_length = length;
  return request;
}

constexpr Load kCalm{.inflight_bytes_max = 1000, .disk_budget_bytes = 1000};

TEST(CheckFraming, AsksALengthOfPostOnly) {
  http::Request request;
  request.method = http::Method::kPost;
  EXPECT_EQ(CheckFraming(request, 10), RejectionCode::kLengthRequired);
  request.chunked = true;
  EXPECT_EQ(CheckFraming(request, 10), std::nullopt);
  request = {};
  request.method = http::Method::kGet;
  EXPECT_EQ(CheckFraming(request, 10), std::nullopt);
}

TEST(CheckFraming, TakesABodyOfExactlyTheLimit) {
  EXPECT_EQ(CheckFraming(Post(10), 10), std::nullopt);
  EXPECT_EQ(CheckFraming(Post(11), 10), RejectionCode::kBodyTooLarge);
  EXPECT_EQ(CheckFraming(Post(std::numeric_limits<std::uint64_t>::max()), 10), RejectionCode::kBodyTooLarge);
}

TEST(CheckLoad, EachResourceThatIsSpentRefuses) {
  EXPECT_EQ(CheckLoad(Post(10), kCalm), std::nullopt);
  Load load = kCalm;
  load.storable = false;
  EXPECT_EQ(CheckLoad(Post(10), load), RejectionCode::kOverloaded);
  load = kCalm;
  load.inflight_bytes = 991;
  EXPECT_EQ(CheckLoad(Post(10), load), RejectionCode::kOverloaded);
  load.inflight_bytes = 990;
  EXPECT_EQ(CheckLoad(Post(10), load), std::nullopt);
  load = kCalm;
  load.disk_budget_bytes = 9;
  EXPECT_EQ(CheckLoad(Post(10), load), RejectionCode::kOverloaded);
  load.disk_budget_bytes = -5;
  EXPECT_EQ(CheckLoad(Post(0), load), RejectionCode::kOverloaded);
  load = kCalm;
  load.appends_waiting = static_cast<std::int64_t>(limits::kCommitQueueEvents);
  EXPECT_EQ(CheckLoad(Post(10), load), RejectionCode::kOverloaded);
}

struct Seen {
  Route::Kind kind;
  std::string source;
};

Seen RouteOfPath(std::string_view path) {
  http::Request request;
  request.path = path;
  std::string unescaped;
  const Route route = RouteOf(request, unescaped);
  return {.kind = route.kind, .source = std::string(route.source)};
}

TEST(RouteOf, MatchesPathsExactly) {
  EXPECT_EQ(RouteOfPath("/healthz").kind, Route::Kind::kHealth);
  EXPECT_EQ(RouteOfPath("/webhooks/stripe").source, "stripe");
  EXPECT_EQ(RouteOfPath("*").kind, Route::Kind::kServer);
  for (const std::string_view path :
       {"/", "", "/webhooks", "/webhooks/", "/Webhooks/stripe", "/healthzz", "//healthz", "/./healthz",
        "/x/../healthz", "//webhooks/stripe", "/webhooks%2Fstripe", "/healthz%2f", "/healthz%", "/healthz%0",
        "%2Fhealthz", "**", "*/"}) {
    EXPECT_EQ(RouteOfPath(path).kind, Route::Kind::kUnknown) << path;
  }
  EXPECT_EQ(RouteOfPath("/webhooks/a/b").source, "a/b") << "which no source is called";
  EXPECT_EQ(RouteOfPath("/webhooks//a").source, "/a") << "nor this";
  EXPECT_EQ(RouteOfPath("/webhooks/./a").source, "./a") << "nor this";
}

TEST(RouteOf, OneSlashAtTheEndIsTheSamePath) {
  EXPECT_EQ(RouteOfPath("/healthz/").kind, Route::Kind::kHealth);
  EXPECT_EQ(RouteOfPath("/webhooks/stripe/").source, "stripe");
  EXPECT_EQ(RouteOfPath("/webhooks/stripe//").source, "stripe/");
  EXPECT_EQ(RouteOfPath("/webhooks/stripe%2F").source, "stripe%2F");
}

TEST(RouteOf, EscapesOfUnreservedCharactersAreThoseCharacters) {
  EXPECT_EQ(RouteOfPath("/webhooks/%73tripe").source, "stripe");
  EXPECT_EQ(RouteOfPath("/%77ebhooks/a%2Db%2db%5F%7E%7e%2E/").source, "a-b-b_~~.");
  EXPECT_EQ(RouteOfPath("/%68ealthz").kind, Route::Kind::kHealth);
  EXPECT_EQ(RouteOfPath("/webhooks/%41cme").source, "Acme") << "case counts";
  EXPECT_EQ(RouteOfPath("/webhooks/%2573tripe").source, "%2573tripe") << "once, not twice";
  EXPECT_EQ(RouteOfPath("/webhooks/a%20b%00%3F%C3%A9%").source, "a%20b%00%3F%C3%A9%");
}

}  // namespace
}  // namespace weir::ingest
