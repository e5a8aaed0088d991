#include "engine/source/captured_request.h"

#include <gtest/gtest.h>

namespace weir::source {
namespace {

TEST(CapturedRequest, ReadsARawRequestByteForByte) {
  const auto captured =
      ParseCapture("POST /webhooks/shop?a=1 HTTP/1.1\r\nHost: h\r\nX-Sig:  abc \r\n\r\n{\"a\":1}\r\n\r\n");
  ASSERT_TRUE(captured) << captured.error();
  EXPECT_EQ(captured->method, "POST");
  EXPECT_EQ(captured->target, "/webhooks/shop?a=1");
  ASSERT_EQ(captured->headers.size(), 2U);
  EXPECT_EQ(captured->headers[1].second, "abc");
  EXPECT_EQ(captured->body, "{\"a\":1}\r\n\r\n");
  EXPECT_TRUE(captured->notes.empty());

  const CapturedView view(*captured);
  EXPECT_EQ(view.request().method, http::Method::kPost);
  EXPECT_EQ(view.request().path, "/webhooks/shop");
  EXPECT_EQ(view.request().query, "a=1");
  EXPECT_EQ(http::FindField(view.request(), "x-sig"), "abc");
  EXPECT_EQ(view.request().body, captured->body);
}

TEST(CapturedRequest, ReadsWhatCurlPrints) {
  const auto answer = ParseCapture("HTTP/1.1 200 OK\nContent-Type: text/plain\n\nbody\n");
  ASSERT_TRUE(answer) << answer.error();
  EXPECT_EQ(answer->method, "POST");
  EXPECT_EQ(answer->body, "body\n");

  const auto verbose = ParseCapture("> GET /x HTTP/1.1\n> Host: h\n> \nbody");
  ASSERT_TRUE(verbose) << verbose.error();
  EXPECT_EQ(verbose->method, "GET");
  EXPECT_EQ(verbose->body, "body");
}

TEST(CapturedRequest, ReadsHeadersWithoutARequestLine) {
  const auto captured = ParseCapture("X-Sig: a\n\n{}");
  ASSERT_TRUE(captured) << captured.error();
  EXPECT_EQ(captured->method, "POST");
  EXPECT_EQ(captured->body, "{}");
}

TEST(CapturedRequest, DecodesAChunkedBody) {
  const auto captured =
      ParseCapture("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n");
  ASSERT_TRUE(captured) << captured.error();
  EXPECT_EQ(captured->body, "{}");
  const auto already = ParseCapture("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n{}");
  ASSERT_TRUE(already) << already.error();
  EXPECT_EQ(already->body, "{}");
  EXPECT_EQ(already->notes.size(), 1U);
}

TEST(CapturedRequest, NotesALengthThatIsNotTheBodys) {
  const auto longer = ParseCapture("POST / HTTP/1.1\nContent-Length: 2\n\n{}\n");
  ASSERT_TRUE(longer) << longer.error();
  EXPECT_EQ(longer->body, "{}");
  EXPECT_EQ(longer->notes.size(), 1U);
  const auto shorter = ParseCapture("POST / HTTP/1.1\nContent-Length: 3\n\n{}");
  ASSERT_TRUE(shorter) << shorter.error();
  EXPECT_EQ(shorter->body, "{}");
  EXPECT_EQ(shorter->notes.size(), 1U);
}

TEST(CapturedRequest, NamesTheLineThatIsNoHeader) {
  EXPECT_EQ(ParseCapture("POST / HTTP/1.1\nHost: h\nnonsense\n\n").error(),
            "line 3 is neither a request line nor a header field");
  EXPECT_EQ(ParseCapture("").error(), "has no header fields");
  EXPECT_EQ(ParseCapture("{\"id\": 1}").error(), "line 1 is neither a request line nor a header field");
}

TEST(Capture, WhatCurlPrintsOfAFrontIsTaken) {
  const auto captured =
      ParseCapture("* Connected to example.com\n* using HTTP/2\n> POST /webhooks/a HTTP/2\n> Host: a\n>\n{}");
  ASSERT_TRUE(captured) << captured.error();
  EXPECT_FALSE(captured->fault);
  EXPECT_EQ(captured->target, "/webhooks/a");
  EXPECT_EQ(captured->body, "{}");
}

}  // namespace
}  // namespace weir::source
