#include "engine/sink/http_answer.h"

#include <gtest/gtest.h>

#include <array>
#include <optional>
#include <string>

#include "engine/sink/retry_after.h"

namespace weir::sink {
namespace {

using observe::FailureReason;

constexpr std::array<int, 2> kDead = {410, 422};
constexpr std::int64_t kNow = 784'111'777;  // Sun, 06 Nov 1994 08:49:37 GMT

Outcome OutcomeOf(int status, std::optional<std::string> retry_after = {}) {
  http::Response answer;
  answer.status = status;
  answer.retry_after = std::move(retry_after);
  answer.body_start = "said";
  return Judge(answer, kDead, kNow);
}

TEST(HttpAnswer, EveryTwoHundredSettles) {
  for (const int status : {200, 201, 202, 204, 299}) {
    EXPECT_EQ(OutcomeOf(status).result, Result::kDelivered) << status;
    EXPECT_FALSE(OutcomeOf(status).failure) << status;
  }
}

TEST(HttpAnswer, ConfiguredStatusIsARefusalForGood) {
  EXPECT_EQ(OutcomeOf(410).result, Result::kRejected);
  EXPECT_EQ(OutcomeOf(422).result, Result::kRejected);
  EXPECT_EQ(OutcomeOf(410).summary, "410");
}

TEST(HttpAnswer, EverythingElseIsTriedAgainForItsReason) {
  EXPECT_EQ(OutcomeOf(400).failure, FailureReason::kStatus4xx);
  EXPECT_EQ(OutcomeOf(408).failure, FailureReason::kStatus4xx);
  EXPECT_EQ(OutcomeOf(500).failure, FailureReason::kStatus5xx);
  EXPECT_EQ(OutcomeOf(503).failure, FailureReason::kStatus5xx);
  EXPECT_EQ(OutcomeOf(429).failure, FailureReason::kThrottled);
  EXPECT_EQ(OutcomeOf(301).failure, FailureReason::kProtocol);
  EXPECT_EQ(OutcomeOf(304).failure, FailureReason::kProtocol);
  EXPECT_EQ(OutcomeOf(600).failure, FailureReason::kProtocol);
  for (const int status : {301, 304, 400, 408, 429, 500, 503, 600}) {
    EXPECT_EQ(OutcomeOf(status).result, Result::kFailed) << status;
    EXPECT_EQ(OutcomeOf(status).answer, "said") << status;
  }
}

TEST(HttpAnswer, RetryAfterCountsOnThrottlingAnswersOnly) {
  EXPECT_EQ(OutcomeOf(429, "7").retry_after_ms, 7'000);
  EXPECT_EQ(OutcomeOf(503, "7").retry_after_ms, 7'000);
  EXPECT_EQ(OutcomeOf(503, "7").failure, FailureReason::kThrottled);
  EXPECT_EQ(OutcomeOf(500, "7").retry_after_ms, std::nullopt);
  EXPECT_EQ(OutcomeOf(301, "7").retry_after_ms, std::nullopt);
}

TEST(HttpAnswer, UnreadableRetryAfterIsAsIfAbsent) {
  EXPECT_EQ(OutcomeOf(429, "soon").retry_after_ms, std::nullopt);
}

constexpr std::int64_t kYearMs = 366LL * 24 * 3600 * 1000;

TEST(RetryAfter, IsSeconds) {
  EXPECT_EQ(ParseRetryAfter("0", kNow), 0);
  EXPECT_EQ(ParseRetryAfter("120", kNow), 120'000);
  EXPECT_EQ(ParseRetryAfter("007", kNow), 7'000);
}

TEST(RetryAfter, FractionIsRoundedUp) {
  EXPECT_EQ(ParseRetryAfter("1.5", kNow), 1'500);
  EXPECT_EQ(ParseRetryAfter("0.25", kNow), 250);
  EXPECT_EQ(ParseRetryAfter("2.000", kNow), 2'000);
  EXPECT_EQ(ParseRetryAfter("0.0001", kNow), 1);
  EXPECT_EQ(ParseRetryAfter("3.1415926535897932384626433832795", kNow), 3'142);
}

TEST(RetryAfter, IsADateOfAnyForm) {
  EXPECT_EQ(ParseRetryAfter("Sun, 06 Nov 1994 08:50:37 GMT", kNow), 60'000);
  EXPECT_EQ(ParseRetryAfter("Sunday, 06-Nov-94 08:50:37 GMT", kNow), 60'000);
  EXPECT_EQ(ParseRetryAfter("Sun Nov  6 08:50:37 1994", kNow), 60'000);
}

TEST(RetryAfter, PastDateMeansNow) {
  EXPECT_EQ(ParseRetryAfter("Sun, 06 Nov 1994 08:49:37 GMT", kNow), 0);
  EXPECT_EQ(ParseRetryAfter("Sat, 05 Nov 1994 08:49:37 GMT", kNow), 0);
  EXPECT_EQ(ParseRetryAfter("Thu, 01 Jan 1970 00:00:00 GMT", kNow), 0);
}

TEST(RetryAfter, EndlessWaitIsAYear) {
  EXPECT_EQ(ParseRetryAfter("31622400", kNow), kYearMs);
  EXPECT_EQ(ParseRetryAfter("31622400.9", kNow), kYearMs);
  EXPECT_EQ(ParseRetryAfter("9223372036854775807", kNow), kYearMs);
  EXPECT_EQ(ParseRetryAfter("99999999999999999999999", kNow), kYearMs);
  EXPECT_EQ(ParseRetryAfter("99999999999999999999999.5", kNow), kYearMs);
  EXPECT_EQ(ParseRetryAfter("Sun, 06 Nov 9994 08:49:37 GMT", kNow), kYearMs);
}

TEST(RetryAfter, AnythingElseIsNothing) {
  for (const std::string_view text :
       {"", "-1", "+1", "1.", ".5", ".", "1.5.2", "1,5", "1e3", " 1", "1s", "0x10", "inf", "NaN", "soon",
        "PT5S", "120, 120", "2026-11-26T01:00:00Z"}) {
    EXPECT_EQ(ParseRetryAfter(text, kNow), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace weir::sink
