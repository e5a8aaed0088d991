#include "bench/request_forge.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "bench/request_feed.h"
#include "engine/http/request_parser.h"
#include "engine/source/kinds.h"
#include "engine/source/verifier.h"
#include "tests/support/eventually.h"

namespace weir::bench {
namespace {

constexpr std::int64_t kNow_s = 1'767'225'600;
constexpr std::string_view kSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

RequestForge ForgeOf(const std::string& kind, std::size_t batch = 1) {
  return RequestForge({.scheme = source::FindKind(kind)->scheme,
                       .secret = std::string(kSecret),
                       .url = "http://127.0.0.1:8080/webhooks/test",
                       .authority = "127.0.0.1:8080",
                       .target = "/webhooks/test",
                       .id_prefix = "evt_test_",
                       .payload_bytes = 800,
                       .batch = batch});
}

// What weir's own parser and verifier make of the bytes: the ids of the events, or the code of the refusal.
class Receiver {
 public:
  explicit Receiver(const std::string& kind) : verifier_(1) {
    source_.name = "test";
    source_.scheme = source::FindKind(kind)->scheme;
    source_.secrets = {std::string(kSecret)};
    source_.public_url = "http://127.0.0.1:8080/webhooks/test";
  }

  std::string Receive(const std::string& bytes, std::int64_t now_s = kNow_s) {
    const std::string padded = bytes + std::string(limits::kJsonPaddingBytes, '\0');
    http::RequestParser parser({});
    if (parser.ParseHead(std::string_view(padded).substr(0, bytes.size())) !=
        http::RequestParser::Step::kDone) {
      return "not a request";
    }
    http::Request& request = parser.request();
    if (request.content_length != bytes.size() - parser.head_bytes()) return "wrong length";
    request.body = std::string_view(padded).substr(parser.head_bytes(), *request.content_length);
    const source::Verdict verdict = verifier_.Verify(source_, request, now_s * 1'000'000);
    if (const auto* rejected = std::get_if<source::Rejected>(&verdict)) {
      return std::string(source::RejectCode(rejected->reason));
    }
    const auto* accepted = std::get_if<source::Accepted>(&verdict);
    if (accepted == nullptr) return "handshake";
    std::string ids;
    for (const auto& event : *accepted->events) ids.append(ids.empty() ? "" : " ").append(event.id);
    return ids;
  }

 private:
  source::Source source_;
  source::Verifier verifier_;
};

class ForgedRequest : public testing::TestWithParam<std::string> {};

TEST_P(ForgedRequest, IsAcceptedUnderItsId) {
  const RequestForge forge = ForgeOf(GetParam());
  Receiver receiver(GetParam());
  for (const std::uint64_t id : {0ULL, 7ULL, 999'999'999'999ULL}) {
    const auto request = forge.Make({RequestClass::kFresh, id}, kNow_s);
    ASSERT_TRUE(request) << request.error();
    EXPECT_EQ(receiver.Receive(*request), forge.IdOf(id));
  }
}

TEST_P(ForgedRequest, MadeInvalidIsRefused) {
  const auto request = ForgeOf(GetParam()).Make({RequestClass::kInvalid, 1}, kNow_s);
  ASSERT_TRUE(request) << request.error();
  EXPECT_EQ(Receiver(GetParam()).Receive(*request), "invalid_signature");
}

TEST_P(ForgedRequest, MadeStaleIsRefusedExactlyWhereTheKindSignsATime) {
  const RequestForge forge = ForgeOf(GetParam());
  const auto request = forge.Make({RequestClass::kStale, 1}, kNow_s);
  ASSERT_TRUE(request) << request.error();
  EXPECT_EQ(Receiver(GetParam()).Receive(*request),
            forge.SignsTimestamp(kNow_s) ? "stale_timestamp" : forge.IdOf(1));
}

TEST_P(ForgedRequest, HasTheSizeThatWasAskedFor) {
  const auto request = ForgeOf(GetParam()).Make({RequestClass::kFresh, 1}, kNow_s);
  const std::size_t body = request->size() - request->find("\r\n\r\n") - 4;
  EXPECT_GE(body, 800u);
  EXPECT_LT(body, 900u);
}

INSTANTIATE_TEST_SUITE_P(Kinds, ForgedRequest,
                         testing::Values("stripe", "github", "shopify", "slack", "standard-webhooks", "svix",
                                         "gitlab"),
                         [](const auto& given) {
                           std::string name = given.param;
                           std::erase(name, '-');
                           return name;
                         });

TEST(RequestForge, IdsOfARunHaveOneLength) {
  const RequestForge forge = ForgeOf("stripe");
  EXPECT_EQ(forge.IdOf(0), "evt_test_000000000000");
  EXPECT_EQ(forge.IdOf(123), "evt_test_000000000123");
}

TEST(RequestForge, EventsOfABatchHaveIdsThatNoOtherRequestHas) {
  const RequestForge forge = ForgeOf("gocardless", 3);
  Receiver receiver("gocardless");
  EXPECT_EQ(receiver.Receive(*forge.Make({RequestClass::kFresh, 1}, kNow_s)),
            forge.IdOf(3) + " " + forge.IdOf(4) + " " + forge.IdOf(5));
  EXPECT_EQ(receiver.Receive(*forge.Make({RequestClass::kFresh, 2}, kNow_s)),
            forge.IdOf(6) + " " + forge.IdOf(7) + " " + forge.IdOf(8));
}

TEST(RequestForge, KnowsWhichKindsCannotBeStale) {
  EXPECT_TRUE(ForgeOf("stripe").SignsTimestamp(kNow_s));
  EXPECT_FALSE(ForgeOf("github").SignsTimestamp(kNow_s));
}

// A feed over real requests, through the pattern that the client uses.
class Feed : public testing::Test {
 protected:
  static RequestPattern Learn(const RequestForge& forge) {
    std::vector<std::string> samples;
    for (std::uint64_t i = 0; i < 64; ++i) {
      const std::uint64_t id = (i * 111'111'111'111 + i * 7'919) % 999'999'999'999;
      samples.push_back(
          *forge.Make({RequestClass::kFresh, id}, kNow_s + static_cast<std::int64_t>(i * 12'345)));
    }
    return RequestPattern::Learn(samples);
  }
  std::string Next(RequestFeed& feed) {
    buffer_.resize(pattern_.request_bytes_max());
    pattern_.Prepare(buffer_.data());
    const std::size_t size = pattern_.Apply(feed.FrontPatch(), buffer_.data());
    feed.Pop();
    return buffer_.substr(0, size);
  }
  const RequestForge forge_ = ForgeOf("stripe");
  const RequestPattern pattern_ = Learn(forge_);
  const TrafficPlan plan_{{}, 0, 1, 1};
  std::string buffer_;
};

TEST_F(Feed, GivesBackEachRequestAsItWasSigned) {
  RequestFeed feed(forge_, pattern_, plan_, 100);
  Receiver receiver("stripe");
  while (*feed.SignOne(kNow_s)) continue;
  EXPECT_EQ(feed.signed_total(), 100u);
  for (std::uint64_t id = 0; id < 100; ++id) {
    ASSERT_NE(feed.Front(kNow_s), nullptr);
    EXPECT_EQ(feed.Front(kNow_s)->id_number, id);
    EXPECT_EQ(receiver.Receive(Next(feed)), forge_.IdOf(id));
  }
  EXPECT_EQ(feed.Front(kNow_s), nullptr);
}

TEST_F(Feed, TakesMoreWhenThereIsRoomAgain) {
  RequestFeed feed(forge_, pattern_, plan_, 2);
  EXPECT_TRUE(*feed.SignOne(kNow_s));
  EXPECT_TRUE(*feed.SignOne(kNow_s));
  EXPECT_FALSE(*feed.SignOne(kNow_s));
  feed.Pop();
  EXPECT_TRUE(*feed.SignOne(kNow_s));
}

TEST_F(Feed, ThrowsAwayWhatHasBecomeTooOldToSend) {
  RequestFeed feed(forge_, pattern_, plan_, 10);
  ASSERT_TRUE(*feed.SignOne(kNow_s));
  ASSERT_TRUE(*feed.SignOne(kNow_s + 100));
  EXPECT_EQ(feed.Front(kNow_s + RequestFeed::kAgeMax_s)->id_number, 0u);
  EXPECT_EQ(feed.Front(kNow_s + RequestFeed::kAgeMax_s + 1)->id_number, 1u);
}

TEST_F(Feed, OneThreadMayFillItWhileAnotherDrainsIt) {
  constexpr std::uint64_t kRequests = 5'000;
  RequestFeed feed(forge_, pattern_, plan_, 64);
  const std::jthread filler([&feed](const std::stop_token& stop) {
    while (!stop.stop_requested() && feed.signed_total() < kRequests) static_cast<void>(feed.SignOne(kNow_s));
  });
  std::string buffer(pattern_.request_bytes_max(), '\0');
  pattern_.Prepare(buffer.data());
  for (std::uint64_t id = 0; id < kRequests; ++id) {
    ASSERT_TRUE(tests::Eventually([&] { return feed.Front(kNow_s) != nullptr; }));
    ASSERT_EQ(feed.Front(kNow_s)->id_number, id);
    pattern_.Apply(feed.FrontPatch(), buffer.data());
    ASSERT_NE(buffer.find(forge_.IdOf(id)), std::string::npos);
    feed.Pop();
  }
}

TEST_F(Feed, APatchIsAFractionOfTheRequest) {
  EXPECT_LT(pattern_.patch_bytes() * 8, pattern_.request_bytes_max());
}

}  // namespace
}  // namespace weir::bench
