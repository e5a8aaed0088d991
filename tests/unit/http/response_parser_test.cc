// A server's answers, honest and hostile. Every one is fed whole, cut in two at every point and byte by byte.
#include "engine/http/response_parser.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <ostream>
#include <string>
#include <string_view>

#include "engine/limits.h"

namespace weir::http {
namespace {

using Step = ResponseParser::Step;

constexpr std::size_t kKeptBytesMax = 8;

struct Outcome {
  Step step = Step::kNeedMore;
  int status = 0;
  bool keep_alive = true;
  std::string retry_after = {};
  std::string body = {};
  std::size_t rest_bytes = 0;
  bool operator==(const Outcome&) const = default;
};

void PrintTo(const Outcome& outcome, std::ostream* out) {
  *out << "step " << static_cast<int>(outcome.step) << " status " << outcome.status << " keep "
       << outcome.keep_alive << " retry '" << outcome.retry_after << "' body '" << outcome.body << "' rest "
       << outcome.rest_bytes;
}

// Feeds `bytes` in pieces of `piece_bytes`, the first of `first_bytes`; then the end of the connection if
// `closed`.
Outcome Feed(std::string_view bytes, std::size_t first_bytes, std::size_t piece_bytes, bool closed) {
  ResponseParser parser(kKeptBytesMax);
  Outcome outcome;
  std::size_t at = 0;
  std::size_t piece = first_bytes;
  while (at < bytes.size() && outcome.step == Step::kNeedMore) {
    const std::string copy(bytes.substr(at, piece));
    std::size_t consumed = 0;
    outcome.step = parser.Feed(copy, consumed);
    at += consumed;
    piece = piece_bytes;
    if (outcome.step == Step::kNeedMore) {
      EXPECT_EQ(consumed, copy.size());
    }
  }
  if (closed && outcome.step == Step::kNeedMore) outcome.step = parser.Finish();
  if (outcome.step == Step::kError) {
    EXPECT_FALSE(parser.error_detail().empty());
    return {.step = Step::kError};
  }
  outcome.status = parser.response().status;
  outcome.keep_alive = parser.response().keep_alive;
  outcome.retry_after = parser.response().retry_after.value_or("");
  outcome.body = parser.response().body_start;
  outcome.rest_bytes = bytes.size() - at;
  return outcome;
}

Outcome Parse(std::string_view bytes, bool closed = false) {
  const Outcome whole = Feed(bytes, bytes.size(), bytes.size(), closed);
  const std::size_t stride = bytes.size() / 500 + 1;
  for (std::size_t cut = 1; cut < bytes.size(); cut += stride) {
    const Outcome split = Feed(bytes, cut, bytes.size(), closed);
    EXPECT_EQ(split, whole) << "cut after byte " << cut;
    if (!(split == whole)) break;
  }
  EXPECT_EQ(Feed(bytes, 1, 1, closed), whole) << "byte by byte";
  return whole;
}

Outcome ParseClosed(std::string_view bytes) {
  return Parse(bytes, true);
}

TEST(ResponseParserTest, ReadsALengthAndTheStartOfTheBody) {
  const Outcome outcome = Parse("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123456789");
  EXPECT_EQ(outcome, (Outcome{.step = Step::kDone, .status = 200, .body = "01234567"}));
}

TEST(ResponseParserTest, AnEmptyBodyIsDoneAtTheHead) {
  EXPECT_EQ(Parse("HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n"),
            (Outcome{.step = Step::kDone, .status = 202}));
}

TEST(ResponseParserTest, ReadsChunks) {
  EXPECT_EQ(
      Parse(
          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x\r\nde\r\n0\r\nX: y\r\n\r\n"),
      (Outcome{.step = Step::kDone, .status = 200, .body = "abcde"}));
}

TEST(ResponseParserTest, AnAnswerWithoutLengthEndsWithTheConnection) {
  const std::string_view bytes = "HTTP/1.1 200 OK\r\n\r\nabc";
  EXPECT_EQ(Parse(bytes).step, Step::kNeedMore);
  EXPECT_EQ(ParseClosed(bytes),
            (Outcome{.step = Step::kDone, .status = 200, .keep_alive = false, .body = "abc"}));
}

TEST(ResponseParserTest, NoContentAndNotModifiedHaveNoBody) {
  EXPECT_EQ(Parse("HTTP/1.1 204 No Content\r\n\r\n"), (Outcome{.step = Step::kDone, .status = 204}));
  EXPECT_EQ(Parse("HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n"),
            (Outcome{.step = Step::kDone, .status = 304}));
}

TEST(ResponseParserTest, WhatFollowsAnAnswerIsLeft) {
  const std::string one = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx";
  EXPECT_EQ(Feed(one + one, 2 * one.size(), 1, false).rest_bytes, one.size());
  const std::string chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
  EXPECT_EQ(Feed(chunked + one, 2000, 1, false).rest_bytes, one.size());
}

TEST(ResponseParserTest, PipelinedAnswersAreReadWithResets) {
  const std::string bytes =
      "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 3\r\nContent-Length: 1\r\n\r\nx"
      "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nyz";
  ResponseParser parser(kKeptBytesMax);
  std::size_t first = 0;
  ASSERT_EQ(parser.Feed(bytes, first), Step::kDone);
  EXPECT_EQ(parser.response().status, 429);
  EXPECT_EQ(parser.response().retry_after, "3");
  parser.Reset();
  std::size_t second = 0;
  ASSERT_EQ(parser.Feed(std::string_view(bytes).substr(first), second), Step::kDone);
  EXPECT_EQ(parser.response().status, 200);
  EXPECT_EQ(parser.response().retry_after, std::nullopt);
  EXPECT_EQ(parser.response().body_start, "yz");
  EXPECT_EQ(first + second, bytes.size());
}

TEST(ResponseParserTest, RetryAfterIsKeptAsSent) {
  EXPECT_EQ(Parse("HTTP/1.1 503 x\r\nretry-after:  120 \r\nContent-Length: 0\r\n\r\n").retry_after, "120");
  EXPECT_EQ(Parse("HTTP/1.1 503 x\r\nRetry-After: Fri, 31 Dec 1999 23:59:59 GMT\r\nContent-Length: 0\r\n\r\n")
                .retry_after,
            "Fri, 31 Dec 1999 23:59:59 GMT");
}

TEST(ResponseParserTest, AHeadPastItsLimitIsItsStatus) {
  const std::string endless = "HTTP/1.1 200 OK\r\nX: " + std::string(limits::kResponseHeadBytesMax, 'a');
  EXPECT_EQ(Feed(endless, endless.size(), 1, false),
            (Outcome{.step = Step::kDone, .status = 200, .keep_alive = false}));
  const std::string reason = "HTTP/1.1 503 " + std::string(limits::kResponseHeadBytesMax, 'a');
  EXPECT_EQ(Feed(reason, 4000, 4000, false).status, 503);
  EXPECT_EQ(Feed("HTTP/1.1 " + std::string(limits::kResponseHeadBytesMax, ' '), 4000, 4000, false).step,
            Step::kError);
}

TEST(ResponseParserTest, AnAnswerThatIsGivenUpIsItsStatus) {
  ResponseParser parser(kKeptBytesMax);
  std::size_t consumed = 0;
  ASSERT_EQ(parser.Feed("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", consumed), Step::kNeedMore);
  EXPECT_EQ(parser.Finish(), Step::kDone);
  EXPECT_EQ(parser.response().status, 200);
  EXPECT_FALSE(parser.response().keep_alive);
  parser.Reset();
  EXPECT_EQ(parser.Finish(), Step::kError);
  EXPECT_FALSE(parser.error_detail().empty());
}

TEST(ResponseParserTest, DoubtOfOneAnswerIsNotTheNextOnes) {
  ResponseParser parser(kKeptBytesMax);
  std::size_t consumed = 0;
  ASSERT_EQ(parser.Feed("HTTP/1.1 100 x\n\nHTTP/1.1 204 x\r\n\r\n", consumed), Step::kDone);
  EXPECT_FALSE(parser.response().keep_alive);
  parser.Reset();
  ASSERT_EQ(parser.Feed("HTTP/1.1 204 x\r\n\r\n", consumed), Step::kDone);
  EXPECT_TRUE(parser.response().keep_alive);
}

TEST(ResponseParserTest, ABodyPastItsLimitIsDoneAndItsConnectionIsNot) {
  const std::string body(limits::kResponseBodyBytesMax + 10, 'a');
  const Outcome sized =
      Feed("HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n" + body, 1 << 30, 1, false);
  EXPECT_EQ(sized.step, Step::kDone);
  EXPECT_FALSE(sized.keep_alive);
  const Outcome unsized = Feed("HTTP/1.1 200 OK\r\n\r\n" + body, 1 << 30, 1, false);
  EXPECT_EQ(unsized.step, Step::kDone);
  EXPECT_FALSE(unsized.keep_alive);
  const Outcome chunked =
      Feed("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffff\r\n" + body, 1 << 30, 1, false);
  EXPECT_EQ(chunked.step, Step::kDone);
  EXPECT_FALSE(chunked.keep_alive);
}

TEST(ResponseParserTest, FeedingAfterTheEndChangesNothing) {
  ResponseParser parser(kKeptBytesMax);
  std::size_t consumed = 0;
  ASSERT_EQ(parser.Feed("HTTP/1.1 204 x\r\n\r\n", consumed), Step::kDone);
  EXPECT_EQ(parser.Feed("HTTP/1.1 500 x\r\n\r\n", consumed), Step::kDone);
  EXPECT_EQ(consumed, 0U);
  EXPECT_EQ(parser.response().status, 204);
}

}  // namespace
}  // namespace weir::http
