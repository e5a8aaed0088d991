#include "engine/ingest/admission.h"

#include <gtest/gtest.h>

#include <limits>

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

Route RouteOfPath(std::string_view path) {
  http::Request request;
  request.path = path;
  return RouteOf(request);
}

TEST(RouteOf, MatchesPathsExactly) {
  EXPECT_EQ(RouteOfPath("/healthz").kind, Route::Kind::kHealth);
  EXPECT_EQ(RouteOfPath("/webhooks/stripe").source, "stripe");
  for (const std::string_view path :
       {"", "/", "*", "/healthz/", "/HEALTHZ", "/webhooks", "webhooks/stripe"}) {
    EXPECT_EQ(RouteOfPath(path).kind, Route::Kind::kUnknown) << path;
  }
  EXPECT_EQ(RouteOfPath("/webhooks/").source, "") << "which no source is called";
  EXPECT_EQ(RouteOfPath("/webhooks/a/b").source, "a/b");
}

TEST(RouteOf, TakesTheAbsoluteForm) {
  EXPECT_EQ(RouteOfPath("http://example.com/webhooks/stripe").source, "stripe");
  EXPECT_EQ(RouteOfPath("HTTPS://example.com:8443/healthz").kind, Route::Kind::kHealth);
  EXPECT_EQ(RouteOfPath("http://example.com").kind, Route::Kind::kUnknown);
}

}  // namespace
}  // namespace weir::ingest
