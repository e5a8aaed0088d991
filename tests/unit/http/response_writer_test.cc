#include "engine/http/response_writer.h"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <string_view>

namespace weir::http {
namespace {

std::string Written(const ResponseHead& head, std::string_view body) {
  std::string out;
  AppendResponse(out, head, body);
  return out;
}

TEST(ResponseWriterTest, WritesTypeLengthAndBody) {
  EXPECT_EQ(Written({.status = 202}, "{}"),
            "HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}");
}

TEST(ResponseWriterTest, AppendsBehindWhatIsThere) {
  std::string out = "before";
  AppendResponse(out, {.status = 200}, "x");
  EXPECT_TRUE(out.starts_with("beforeHTTP/1.1 200 OK\r\n"));
}

TEST(ResponseWriterTest, AnEmptyBodyHasALengthButNoType) {
  EXPECT_EQ(Written({.status = 200}, ""), "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
}

TEST(ResponseWriterTest, StatusesWithoutABodyHaveNeitherLengthNorBody) {
  EXPECT_EQ(Written({.status = 204}, "ignored"), "HTTP/1.1 204 No Content\r\n\r\n");
  EXPECT_EQ(Written({.status = 304}, ""), "HTTP/1.1 304 Not Modified\r\n\r\n");
}

TEST(ResponseWriterTest, CloseIsSaid) {
  EXPECT_EQ(Written({.status = 400, .close = true}, ""),
            "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
}

TEST(ResponseWriterTest, AKeptHttp10ConnectionIsSaidToBeKept) {
  EXPECT_EQ(Written({.status = 200, .http10 = true}, ""),
            "HTTP/1.0 200 OK\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_EQ(Written({.status = 200, .close = true, .http10 = true}, ""),
            "HTTP/1.0 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
}

TEST(ResponseWriterTest, OptionalFieldsFollow) {
  const std::array<Field, 1> extra = {Field{.name = "Allow", .value = "POST"}};
  EXPECT_EQ(Written({.status = 503, .request_id = "abc", .retry_after_s = 7, .extra = extra}, ""),
            "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nX-Request-Id: abc\r\nRetry-After: 7\r\n"
            "Allow: POST\r\n\r\n");
}

TEST(ResponseWriterTest, AValueCannotEndItsLine) {
  const std::array<Field, 1> extra = {Field{.name = "X", .value = "a\r\nSet-Cookie: b\0c\x7f"}};
  const std::string out = Written({.status = 200, .request_id = "1\n2", .extra = extra}, "");
  EXPECT_EQ(out, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-Request-Id: 1 2\r\nX: a  Set-Cookie: b\r\n\r\n");
}

TEST(ResponseWriterTest, EveryStatusOfTheInterfaceHasItsPhrase) {
  for (const int status :
       {100, 200, 202, 204, 400, 401, 403, 404, 405, 408, 411, 413, 414, 415, 417, 429, 431, 500, 503, 505}) {
    EXPECT_NE(ReasonPhrase(status), "Unknown") << status;
  }
  EXPECT_EQ(ReasonPhrase(799), "Unknown");
}

TEST(ErrorBodyTest, IsTheInterfacesShape) {
  EXPECT_EQ(ErrorBody("bad_chunk", "a \"b\"", "id-1"),
            R"({"error":{"code":"bad_chunk","message":"a \"b\""},"correlation_id":"id-1"})");
}

TEST(AnswerToTest, EveryErrorHasAStatusACodeAndAMessage) {
  for (int value = 0; value <= static_cast<int>(ParseError::kBodyTooLarge); ++value) {
    const ErrorAnswer answer = AnswerTo(static_cast<ParseError>(value));
    EXPECT_GE(answer.status, 400);
    EXPECT_NE(ReasonPhrase(answer.status), "Unknown");
    EXPECT_FALSE(answer.code.empty());
    EXPECT_FALSE(answer.message.empty());
  }
}

}  // namespace
}  // namespace weir::http
