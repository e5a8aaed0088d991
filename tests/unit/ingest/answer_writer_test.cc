#include "engine/ingest/answer_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/http/response_writer.h"

namespace weir::ingest {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr std::int64_t kSecond = 784'111'777;  // the example of RFC 9110 §5.6.7

class AnswerWriterTest : public ::testing::Test {
 protected:
  AnswerWriterTest() { writer_.SetTime(kSecond); }
  std::string Accepted(const Manner& manner) {
    std::string out;
    writer_.WriteAccepted(out, manner, "evt_1", 7);
    return out;
  }
  std::string Refused(observe::RejectionCode code) {
    std::string out;
    writer_.WriteRefusal(out, {.request_id = 1}, RefusalFor(code));
    return out;
  }
  AnswerWriter writer_{config::AckMode::kFsync};
};

TEST_F(AnswerWriterTest, AnAcceptedEventIsAnsweredToTheByte) {
  EXPECT_EQ(Accepted({.request_id = 0x12ab}),
            "HTTP/1.1 202 Accepted\r\n"
            "Content-Type: application/json\r\n"
            "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
            "X-Request-Id: 00000000000012ab\r\n"
            "Content-Length: 53\r\n"
            "\r\n"
            R"({"status":"accepted","event_id":"evt_1","sequence":7})");
}

TEST_F(AnswerWriterTest, TheRareMannersSayTheSame) {
  for (const Manner& manner :
       {Manner{.request_id = 1, .close = true}, Manner{.request_id = 1, .http10 = true}}) {
    const std::string answer = Accepted(manner);
    EXPECT_THAT(answer, HasSubstr(" 202 Accepted\r\n"));
    EXPECT_THAT(answer, HasSubstr("X-Request-Id: 0000000000000001\r\n"));
    EXPECT_THAT(answer, HasSubstr("Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"));
    EXPECT_THAT(answer, EndsWith("\r\n\r\n"
                                 R"({"status":"accepted","event_id":"evt_1","sequence":7})"));
  }
  EXPECT_THAT(Accepted({.close = true}), HasSubstr("Connection: close\r\n"));
  EXPECT_THAT(Accepted({.http10 = true}), StartsWith("HTTP/1.0 "));
}

TEST_F(AnswerWriterTest, AHeadIsToldTheLengthOfABodyItDoesNotGet) {
  const std::string answer = Accepted({.head_only = true});
  EXPECT_THAT(answer, HasSubstr("Content-Length: 53\r\n"));
  EXPECT_THAT(answer, EndsWith("\r\n\r\n"));
}

TEST_F(AnswerWriterTest, AnswersFollowEachOtherInOneBuffer) {
  std::string out = "before";
  writer_.WriteDuplicate(out, {.head_only = true}, "a", 1);
  writer_.WriteDuplicate(out, {}, "b", 2);
  EXPECT_THAT(out, StartsWith("beforeHTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(out, HasSubstr("\r\n\r\nHTTP/1.1 200 OK\r\n"));
}

TEST_F(AnswerWriterTest, OnlyAnswersToStoredEventsSpeakOfTheirAck) {
  AnswerWriter os(config::AckMode::kOs);
  os.SetTime(kSecond);
  for (const bool close : {false, true}) {
    std::string stored;
    os.WriteAccepted(stored, {.close = close}, "a", 1);
    EXPECT_THAT(stored, HasSubstr("weir-ack: os\r\n"));
  }
  std::string prescribed;
  os.WritePrescribed(prescribed, {}, {.status = 204, .stored = true});
  EXPECT_THAT(prescribed, HasSubstr("weir-ack: os\r\n"));
  std::string refused;
  os.WriteRefusal(refused, {}, RefusalFor(observe::RejectionCode::kOverloaded));
  EXPECT_THAT(refused, Not(HasSubstr("weir-ack")));
  EXPECT_THAT(Accepted({}), Not(HasSubstr("weir-ack")));
}

TEST_F(AnswerWriterTest, WhoeverShouldComeBackIsToldWhen) {
  EXPECT_THAT(Refused(observe::RejectionCode::kOverloaded), HasSubstr("Retry-After: 1\r\n"));
  EXPECT_THAT(Refused(observe::RejectionCode::kKeyUnavailable), HasSubstr("Retry-After: 1\r\n"));
  EXPECT_THAT(Refused(observe::RejectionCode::kRateLimited), HasSubstr("Retry-After: 1\r\n"));
  EXPECT_THAT(Refused(observe::RejectionCode::kTimeout), Not(HasSubstr("Retry-After")));
}

TEST_F(AnswerWriterTest, ASenderThatInsistsGetsARefusalWithoutABody) {
  std::string out;
  writer_.WriteRefusal(
      out, {.request_id = 1},
      RefusalFor(source::Rejected{
          .reason = source::RejectReason::kInvalidSignature, .status = 401, .without_body = true}));
  EXPECT_THAT(out, HasSubstr("HTTP/1.1 401 "));
  EXPECT_THAT(out, HasSubstr("Content-Length: 0\r\n"));
  EXPECT_THAT(out, EndsWith("\r\n\r\n"));
}

TEST_F(AnswerWriterTest, TheDateMovesOnWithTheSecond) {
  writer_.SetTime(kSecond + 1);
  EXPECT_THAT(Accepted({}), HasSubstr("08:49:38 GMT"));
}

TEST(Refusal, EveryCodeHasAnErrorStatusANameAndAMessage) {
  for (std::size_t i = 0; i < static_cast<std::size_t>(observe::RejectionCode::kCount); ++i) {
    const Refusal refusal = RefusalFor(static_cast<observe::RejectionCode>(i));
    EXPECT_GE(refusal.status, 400) << i;
    EXPECT_LT(refusal.status, 600) << i;
    EXPECT_FALSE(refusal.name.empty()) << i;
    EXPECT_FALSE(refusal.message.empty()) << i;
    EXPECT_EQ(refusal.status == 405, !refusal.allow.empty()) << i;
  }
}

TEST(Refusal, IsCountedUnderTheCodeOfItsAnswer) {
  for (auto error = http::ParseError{}; error <= http::ParseError::kBodyTooLarge;
       error = static_cast<http::ParseError>(static_cast<int>(error) + 1)) {
    const Refusal refusal = RefusalFor(error);
    EXPECT_EQ(refusal.name, observe::RejectionCodeName(refusal.code));
    EXPECT_EQ(refusal.status, http::AnswerTo(error).status) << refusal.name;
  }
}

TEST(Refusal, WhatIsAuthenticAndLacksSomethingIsABadRequest) {
  const Refusal field = RefusalFor(source::Rejected{source::RejectReason::kMissingField, 400});
  EXPECT_EQ(field.name, "missing_field");
  EXPECT_EQ(field.status, 400);
  EXPECT_EQ(RefusalFor(source::Rejected{source::RejectReason::kMalformedPayload, 400}).name,
            "malformed_payload");
}

TEST(Refusal, AKindsOwnStatusReplacesOurs) {
  EXPECT_EQ(RefusalFor(source::Rejected{source::RejectReason::kInvalidSignature, 0}).status, 401);
  EXPECT_EQ(RefusalFor(source::Rejected{source::RejectReason::kInvalidSignature, 403}).status, 403);
}

}  // namespace
}  // namespace weir::ingest
