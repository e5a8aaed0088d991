#include "engine/sink/http_message.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "engine/sink/kept_headers.h"

namespace weir::sink {
namespace {

constexpr std::string_view kTrace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

Attempt Sample() {
  Attempt attempt;
  attempt.event.sequence = 42;
  attempt.event.received_at_us = 1'767'225'600'123'456;
  attempt.event.source = "stripe";
  attempt.event.id = "evt_1";
  attempt.event.type = "invoice.paid";
  attempt.event.headers = "content-type: application/json; charset=utf-8\r\nStripe-Signature: t=1\r\n";
  attempt.event.body = R"({"a":1})";
  attempt.number = 3;
  attempt.started_at_us = 1'767'225'700'900'000;
  return attempt;
}

http::Url Target() {
  http::Url url;
  url.host = "127.0.0.1";
  url.port = 9000;
  url.target = "/events?x=1";
  url.authority = "127.0.0.1:9000";
  return url;
}

std::string RequestFor(const Attempt& attempt, WebhookSigner* signer = nullptr) {
  std::string request = "left over from the last one";
  BuildRequest(request, attempt, Target(), {.forwarded = nullptr, .signer = signer});
  return request;
}

std::vector<std::string> Lines(const std::string& request) {
  std::vector<std::string> lines;
  std::size_t at = 0;
  while (true) {
    const std::size_t end = request.find("\r\n", at);
    lines.push_back(request.substr(at, end - at));
    if (lines.back().empty() || end == std::string::npos) return lines;
    at = end + 2;
  }
}

std::string Field(const std::string& request, const std::string& name) {
  for (const std::string& line : Lines(request)) {
    if (line.starts_with(name + ": ")) return line.substr(name.size() + 2);
  }
  return "(absent)";
}

TEST(HttpMessage, IsTheCloudEventInBinaryMode) {
  const std::string request = RequestFor(Sample());
  EXPECT_TRUE(request.starts_with("POST /events?x=1 HTTP/1.1\r\nHost: 127.0.0.1:9000\r\n")) << request;
  EXPECT_TRUE(request.ends_with("\r\n\r\n{\"a\":1}")) << request;
  EXPECT_EQ(Field(request, "Content-Type"), "application/json; charset=utf-8");
  EXPECT_EQ(Field(request, "Content-Length"), "7");
  EXPECT_EQ(Field(request, "ce-specversion"), "1.0");
  EXPECT_EQ(Field(request, "ce-id"), "evt_1");
  EXPECT_EQ(Field(request, "ce-source"), "weir/stripe");
  EXPECT_EQ(Field(request, "ce-type"), "invoice.paid");
  EXPECT_EQ(Field(request, "ce-time"), "2026-01-01T00:00:00.123456Z");
  EXPECT_EQ(Field(request, "weir-sequence"), "42");
  EXPECT_EQ(Field(request, "weir-attempt"), "3");
}

TEST(HttpMessage, SaysWhichAttemptOfItsSenderBroughtIt) {
  auto attempt = Sample();
  EXPECT_EQ(Field(RequestFor(attempt), "weir-sender-attempt"), "(absent)");
  attempt.event.attempt = 2;
  EXPECT_EQ(Field(RequestFor(attempt), "weir-sender-attempt"), "2");
}

TEST(HttpMessage, CarriesNothingElseOfTheSendersHeaders) {
  EXPECT_EQ(RequestFor(Sample()).find("tripe-"), std::string::npos);
}

TEST(HttpMessage, WithoutASecretIsNotSigned) {
  EXPECT_EQ(RequestFor(Sample()).find("webhook-"), std::string::npos);
}

TEST(HttpMessage, SignatureCoversTheHeadersAsSent) {
  auto signer = WebhookSigner::Create("secret");
  ASSERT_TRUE(signer);
  auto attempt = Sample();
  attempt.event.id = "evt 1";
  const std::string request = RequestFor(attempt, &*signer);
  EXPECT_EQ(Field(request, "webhook-id"), "evt%201");
  EXPECT_EQ(Field(request, "webhook-timestamp"), "1767225700") << "the time of the attempt, not of the event";
  EXPECT_EQ(Field(request, "webhook-signature"), signer->Sign("evt%201", "1767225700", attempt.event.body));
}

TEST(HttpMessage, NothingASenderChoosesCanBreakOutOfItsField) {
  auto attempt = Sample();
  attempt.event.id = "a\r\nX-Evil: 1\r\n\r\nGET /";
  attempt.event.type = std::string_view("b\n\0\x7F\xC3\xA9\"% ", 9);
  attempt.event.headers = "Content-Type: text/plain\rX-Evil: 1\r\ntraceparent: 00\r\n";
  auto signer = WebhookSigner::Create("secret");
  const std::string request = RequestFor(attempt, &*signer);
  for (const std::string& line : Lines(request)) EXPECT_FALSE(line.starts_with("X-Evil")) << line;
  EXPECT_EQ(Field(request, "ce-id"), "hex-610d0a582d4576696c3a20310d0a0d0a474554202f");
  EXPECT_EQ(Field(request, "ce-type"), "hex-620a007fc3a9222520");
  attempt.event.type = "caf\xC3\xA9 \"%\"";
  EXPECT_EQ(Field(RequestFor(attempt), "ce-type"), "caf%C3%A9%20%22%25%22");
  EXPECT_EQ(Field(request, "Content-Type"), "application/octet-stream");
  EXPECT_TRUE(request.ends_with("\r\n\r\n{\"a\":1}"));
}

TEST(HttpMessage, FillsInWhatTheSenderLeftOut) {
  auto attempt = Sample();
  attempt.event.type = "";
  attempt.event.headers = "";
  const std::string request = RequestFor(attempt);
  EXPECT_EQ(Field(request, "ce-type"), "weir.event");
  EXPECT_EQ(Field(request, "Content-Type"), "application/octet-stream");
}

TEST(HttpMessage, EmptyBodyHasItsLength) {
  auto attempt = Sample();
  attempt.event.body = "";
  EXPECT_EQ(Field(RequestFor(attempt), "Content-Length"), "0");
}

TEST(Traceparent, ValidOneIsPassedOn) {
  auto attempt = Sample();
  const std::string headers = "Traceparent: " + std::string(kTrace) + "\r\n";
  attempt.event.headers = headers;
  EXPECT_EQ(TraceparentFor(attempt), kTrace);
}

TEST(Traceparent, LaterVersionWithMoreFieldsIsPassedOn) {
  auto attempt = Sample();
  const std::string headers = "traceparent: 01" + std::string(kTrace.substr(2)) + "-more\r\n";
  attempt.event.headers = headers;
  EXPECT_EQ(TraceparentFor(attempt), "01" + std::string(kTrace.substr(2)) + "-more");
}

TEST(Traceparent, BrokenOneIsReplaced) {
  const std::string good(kTrace);
  for (const std::string& bad :
       {std::string("00"), good + "-more", "ff" + good.substr(2),
        "00-" + std::string(32, '0') + good.substr(35), good.substr(0, 36) + std::string(16, '0') + "-01",
        "00-0AF7651916CD43DD8448EB211C80319C" + good.substr(35), good.substr(0, 54) + "g"}) {
    auto attempt = Sample();
    const std::string headers = "traceparent: " + bad + "\r\n";
    attempt.event.headers = headers;
    const std::string made = TraceparentFor(attempt);
    EXPECT_NE(made, bad);
    EXPECT_EQ(made.size(), 55u);
  }
}

TEST(Traceparent, AttemptsOfOneEventShareATraceAndNothingElse) {
  auto attempt = Sample();
  const std::string third = TraceparentFor(attempt);
  EXPECT_EQ(third, TraceparentFor(attempt));
  attempt.number = 4;
  const std::string fourth = TraceparentFor(attempt);
  EXPECT_EQ(third.substr(0, 36), fourth.substr(0, 36));
  EXPECT_NE(third.substr(36, 16), fourth.substr(36, 16));
  attempt.event.sequence = 43;
  EXPECT_NE(TraceparentFor(attempt).substr(3, 32), fourth.substr(3, 32));
}

TEST(KeptHeader, IsFoundWhateverItsCaseAndTrimmed) {
  constexpr std::string_view kHeaders = "A: 1\r\ncontent-TYPE: \t x/y \r\nB: 2\r\n";
  EXPECT_EQ(KeptHeader(kHeaders, "Content-Type"), "x/y");
  EXPECT_EQ(KeptHeader(kHeaders, "Content"), std::nullopt);
  EXPECT_EQ(KeptHeader(kHeaders, "C"), std::nullopt);
}

TEST(KeptHeader, EmptyOrUnprintableIsAsIfAbsent) {
  EXPECT_EQ(KeptHeader("A: \r\n", "a"), std::nullopt);
  EXPECT_EQ(KeptHeader("A: x\ny\r\n", "a"), std::nullopt);
  EXPECT_EQ(KeptHeader("A: x\x7F\r\n", "a"), std::nullopt);
  EXPECT_EQ(KeptHeader("A: caf\xC3\xA9\r\n", "a"), "caf\xC3\xA9");
}

}  // namespace
}  // namespace weir::sink
