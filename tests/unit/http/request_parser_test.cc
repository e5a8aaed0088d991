// What the case documents cannot say: one parser over several requests, buffers that move, limits other than
// the default.
#include "engine/http/request_parser.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <limits>
#include <memory>
#include <string>
#include <string_view>

#include "engine/http/request.h"

namespace weir::http {
namespace {

using Step = RequestParser::Step;

constexpr std::string_view kHead =
    "POST /webhooks/acme?x=1 HTTP/1.1\r\nHost: weir\r\nX-Id: 7\r\nX-Empty:\r\nContent-Length: 3\r\n\r\n";

RequestParser Parser() {
  return RequestParser(RequestParser::Limits{});
}

TEST(RequestParserTest, HeaderBlockIsEveryFieldLineAsReceived) {
  RequestParser parser = Parser();
  const std::string bytes = "GET / HTTP/1.1\r\nhost:weir\r\nX-A:  b \t\r\nx-a:c\r\n\r\nrest";
  ASSERT_EQ(parser.ParseHead(bytes), Step::kDone);
  EXPECT_EQ(parser.request().header_block, "host:weir\r\nX-A:  b \t\r\nx-a:c\r\n");
  EXPECT_EQ(parser.head_bytes(), bytes.size() - 4);
}

TEST(RequestParserTest, HeaderBlockIsEmptyWithoutFields) {
  RequestParser parser = Parser();
  ASSERT_EQ(parser.ParseHead("GET / HTTP/1.0\r\n\r\n"), Step::kDone);
  EXPECT_EQ(parser.request().header_block, "");
  EXPECT_EQ(parser.request().field_count, 0U);
}

TEST(RequestParserTest, HeadBytesCountTheEmptyLineBeforeIt) {
  RequestParser parser = Parser();
  const std::string bytes = "\r\n" + std::string(kHead);
  ASSERT_EQ(parser.ParseHead(bytes), Step::kDone);
  EXPECT_EQ(parser.head_bytes(), bytes.size());
}

TEST(RequestParserTest, TwoPipelinedRequestsAreReadOneAfterTheOther) {
  RequestParser parser = Parser();
  const std::string first = std::string(kHead) + "abc";
  const std::string bytes = first + "GET /second HTTP/1.1\r\nHost: other\r\nConnection: close\r\n\r\n";
  ASSERT_EQ(parser.ParseHead(bytes), Step::kDone);
  EXPECT_EQ(parser.request().path, "/webhooks/acme");
  EXPECT_EQ(parser.request().content_length, 3U);

  parser.Reset();
  ASSERT_EQ(parser.ParseHead(std::string_view(bytes).substr(first.size())), Step::kDone);
  EXPECT_EQ(parser.request().path, "/second");
  EXPECT_EQ(parser.request().query, "");
  EXPECT_EQ(parser.request().content_length, std::nullopt);
  EXPECT_EQ(parser.request().field_count, 2U);
  EXPECT_FALSE(parser.request().keep_alive);
}

TEST(RequestParserTest, ResetForgetsAnError) {
  RequestParser parser = Parser();
  ASSERT_EQ(parser.ParseHead("GET / HTTP/1.1\n"), Step::kError);
  parser.Reset();
  EXPECT_EQ(parser.ParseHead(kHead), Step::kDone);
}

TEST(RequestParserTest, AnErrorStaysUntilReset) {
  RequestParser parser = Parser();
  ASSERT_EQ(parser.ParseHead("GET / HTTP/1.1\n"), Step::kError);
  EXPECT_EQ(parser.ParseHead(kHead), Step::kError);
  EXPECT_EQ(parser.error(), ParseError::kMalformed);
  EXPECT_FALSE(parser.error_detail().empty());
}

TEST(RequestParserTest, ChunkedBodyStopsBeforeTheNextRequest) {
  RequestParser parser = Parser();
  const std::string_view body = "3\r\nabc\r\n0\r\n\r\n";
  const std::string bytes = std::string(body) + "GET / HTTP/1.1\r\n";
  std::string decoded = "before ";
  std::size_t consumed = 0;
  ASSERT_EQ(parser.DecodeChunked(bytes, decoded, 100, consumed), Step::kDone);
  EXPECT_EQ(consumed, body.size());
  EXPECT_EQ(decoded, "before abc");
}

TEST(RequestParserTest, ResetForgetsAHalfReadChunk) {
  RequestParser parser = Parser();
  std::string decoded;
  std::size_t consumed = 0;
  ASSERT_EQ(parser.DecodeChunked("ff\r\nabc", decoded, 1000, consumed), Step::kNeedMore);
  parser.Reset();
  decoded.clear();
  EXPECT_EQ(parser.DecodeChunked("1\r\nx\r\n0\r\n\r\n", decoded, 1000, consumed), Step::kDone);
  EXPECT_EQ(decoded, "x");
}

TEST(RequestParserTest, ChunkedBodyOfExactlyItsLimitIsTaken) {
  RequestParser parser = Parser();
  std::string decoded;
  std::size_t consumed = 0;
  EXPECT_EQ(parser.DecodeChunked("2\r\nab\r\n1\r\nc\r\n0\r\n\r\n", decoded, 3, consumed), Step::kDone);
  parser.Reset();
  EXPECT_EQ(parser.DecodeChunked("2\r\nab\r\n2\r\n", decoded, 3, consumed), Step::kError);
  EXPECT_EQ(parser.error(), ParseError::kBodyTooLarge);
}

TEST(RequestParserTest, RebaseMovesEveryView) {
  RequestParser parser = Parser();
  const std::string copy = std::string(kHead) + "abc";
  auto original = std::make_unique<std::string>(copy);
  ASSERT_EQ(parser.ParseHead(*original), Step::kDone);
  Request& request = parser.request();
  request.body = std::string_view(*original).substr(parser.head_bytes(), 3);

  parser.Rebase(original->data(), copy.data());
  original.reset();  // ASan sees whatever still points there
  EXPECT_EQ(request.method_text, "POST");
  EXPECT_EQ(request.target, "/webhooks/acme?x=1");
  EXPECT_EQ(request.path, "/webhooks/acme");
  EXPECT_EQ(request.query, "x=1");
  EXPECT_EQ(request.body, "abc");
  EXPECT_EQ(FindField(request, "x-id"), "7");
  EXPECT_EQ(FindField(request, "x-empty"), "");
  EXPECT_TRUE(request.header_block.starts_with("Host: weir\r\n"));
  for (const Field& field : request.fields()) {
    EXPECT_GE(field.name.data(), copy.data());
    EXPECT_LT(field.name.data(), copy.data() + copy.size());
  }
}

TEST(RequestParserTest, RebaseLeavesWhatIsElsewhere) {
  RequestParser parser = Parser();
  const std::string original = "POST http://weir HTTP/1.1\r\nHost: weir\r\nContent-Length: " +
                               std::to_string(std::numeric_limits<std::uint64_t>::max()) + "\r\n\r\n";
  ASSERT_EQ(parser.ParseHead(original), Step::kDone);
  const std::string elsewhere = "decoded";
  parser.request().body = elsewhere;
  const std::string copy(original.begin(), original.end());
  parser.Rebase(original.data(), copy.data());
  EXPECT_EQ(parser.request().path, "/");
  EXPECT_EQ(parser.request().body.data(), elsewhere.data());
}

TEST(RequestParserTest, ViewsPointIntoTheLastBufferShown) {
  RequestParser parser = Parser();
  auto first = std::make_unique<std::string>(kHead.substr(0, 60));
  ASSERT_EQ(parser.ParseHead(*first), Step::kNeedMore);
  const std::string second(kHead);
  first.reset();
  ASSERT_EQ(parser.ParseHead(second), Step::kDone);
  EXPECT_EQ(parser.request().target, "/webhooks/acme?x=1");
  EXPECT_EQ(parser.request().target.data(), second.data() + 5);
}

TEST(RequestParserTest, MovingAParserKeepsWhatItHasRead) {
  RequestParser parser = Parser();
  ASSERT_EQ(parser.ParseHead(kHead.substr(0, 40)), Step::kNeedMore);
  RequestParser moved = std::move(parser);
  EXPECT_EQ(moved.ParseHead(kHead), Step::kDone);
  EXPECT_EQ(moved.request().field_count, 4U);
}

TEST(RequestParserTest, HeadLimitIsTheConstructors) {
  RequestParser exact(RequestParser::Limits{.head_bytes = kHead.size()});
  EXPECT_EQ(exact.ParseHead(kHead), Step::kDone);
  RequestParser smaller(RequestParser::Limits{.head_bytes = kHead.size() - 1});
  EXPECT_EQ(smaller.ParseHead(kHead), Step::kError);
  EXPECT_EQ(smaller.error(), ParseError::kHeadTooLarge);
}

TEST(FindFieldTest, IsCaseInsensitive) {
  RequestParser parser = Parser();
  ASSERT_EQ(parser.ParseHead(kHead), Step::kDone);
  EXPECT_EQ(FindField(parser.request(), "X-ID"), "7");
  EXPECT_EQ(FindField(parser.request(), "x_id"), std::nullopt);
}

TEST(FindFieldTest, ARepeatedFieldIsToldApartFromAMissingOne) {
  RequestParser parser = Parser();
  ASSERT_EQ(parser.ParseHead("GET / HTTP/1.1\r\nHost: weir\r\nX-Sig: a\r\nx-sig: a\r\n\r\n"), Step::kDone);
  bool repeated = false;
  EXPECT_EQ(FindField(parser.request(), "x-sig", &repeated), std::nullopt);
  EXPECT_TRUE(repeated);
  EXPECT_EQ(FindField(parser.request(), "x-other", &repeated), std::nullopt);
  EXPECT_FALSE(repeated);
  EXPECT_EQ(FindField(parser.request(), "host", &repeated), "weir");
  EXPECT_FALSE(repeated);
}

}  // namespace
}  // namespace weir::http
