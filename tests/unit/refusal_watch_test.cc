#include "engine/refusal_watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>

namespace weir {
namespace {

using observe::RejectionCode;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using Kind = RefusalWatch::Notice::Kind;

constexpr std::int64_t kSecondMs = 1'000;
constexpr std::int64_t kMinuteMs = 60 * kSecondMs;

class Refusals : public testing::Test {
 protected:
  std::vector<RefusalWatch::Notice> Look(std::int64_t now_ms) {
    return watch_.Look({&shards_[0], &shards_[1]}, now_ms);
  }
  std::vector<RefusalWatch::Notice> Alarms(std::int64_t now_ms) {
    auto notices = Look(now_ms);
    std::erase_if(notices, [](const auto& notice) { return notice.kind == Kind::kRefused; });
    return notices;
  }
  void Refuse(RejectionCode code, std::uint64_t request_id = 1, std::size_t shard = 0,
              const std::string& source = "shop") {
    shards_[shard].ForSource(source).Refused(code, request_id, ++unix_us_);
  }
  void Accept() { shards_[0].ForSource("shop").Received("order.paid"); }

  observe::ShardProbe shards_[2];
  RefusalWatch watch_;
  std::int64_t unix_us_ = 0;
};

TEST_F(Refusals, AreToldAtOnceWithTheLastIdWhicheverShardMetIt) {
  Refuse(RejectionCode::kInvalidSignature, 7, 0);
  Refuse(RejectionCode::kInvalidSignature, 8, 1);
  const auto notices = Look(0);
  ASSERT_THAT(notices, SizeIs(1));
  EXPECT_EQ(notices[0].source, "shop");
  EXPECT_EQ(notices[0].code, RejectionCode::kInvalidSignature);
  EXPECT_EQ(notices[0].count, 2u);
  EXPECT_EQ(notices[0].request_id, 8u);
}

TEST_F(Refusals, AreToldWithWhatWasWrongWithTheLastCutToALength) {
  shards_[0].ForSource("shop").Refused(RejectionCode::kKeyUnavailable, 1, 10, "the certificate A.pem");
  shards_[1].ForSource("shop").Refused(RejectionCode::kKeyUnavailable, 2, 20, std::string(1000, 'x'));
  const auto notices = Look(0);
  ASSERT_THAT(notices, SizeIs(1));
  EXPECT_EQ(notices[0].detail, std::string(observe::kRefusalDetailBytesMax, 'x'));
}

TEST_F(Refusals, OfOneSourceAndCodeAreToldOnceAMinuteAndNoneIsLostFromTheCount) {
  std::uint64_t told = 0;
  int lines = 0;
  for (std::int64_t second = 0; second < 180; ++second) {
    for (int i = 0; i < 10; ++i) Refuse(RejectionCode::kInvalidSignature);
    Accept();
    for (const auto& notice : Look(second * kSecondMs)) {
      ++lines;
      told += notice.count;
    }
  }
  EXPECT_EQ(lines, 3);
  for (const auto& notice : Look(180 * kSecondMs)) told += notice.count;
  EXPECT_EQ(told, 1800u);
}

TEST_F(Refusals, WithAnotherCodeOrOfAnotherSourceHaveALineOfTheirOwn) {
  Refuse(RejectionCode::kInvalidSignature);
  Look(0);
  Refuse(RejectionCode::kStaleTimestamp);
  Refuse(RejectionCode::kInvalidSignature, 2, 0, "zoo");
  Refuse(RejectionCode::kUnknownSource, 3, 0, "");
  EXPECT_THAT(Look(kSecondMs), SizeIs(3));
  EXPECT_THAT(Look(2 * kSecondMs), IsEmpty());
}

TEST_F(Refusals, RaiseAnAlarmWithinFiveMinutesWhenNothingIsAccepted) {
  Accept();
  Look(0);
  std::int64_t alarmed_at_ms = -1;
  std::uint64_t refused = 0;
  for (std::int64_t second = 1; second <= 600 && alarmed_at_ms < 0; ++second) {
    if (second % 30 == 0) Refuse(RejectionCode::kInvalidSignature, static_cast<std::uint64_t>(second));
    for (const auto& notice : Alarms(second * kSecondMs)) {
      EXPECT_EQ(notice.kind, Kind::kAllRefused);
      EXPECT_EQ(notice.code, RejectionCode::kInvalidSignature);
      refused = notice.count;
      alarmed_at_ms = second * kSecondMs;
    }
  }
  EXPECT_GT(alarmed_at_ms, 30 * kSecondMs);
  EXPECT_LE(alarmed_at_ms, 5 * kMinuteMs + 30 * kSecondMs);
  EXPECT_EQ(refused, 9u);
}

TEST_F(Refusals, RaiseNoAlarmWhileSomethingIsAccepted) {
  for (std::int64_t second = 0; second < 3600; ++second) {
    Refuse(RejectionCode::kInvalidSignature);
    if (second % 60 == 0) Accept();
    EXPECT_THAT(Alarms(second * kSecondMs), IsEmpty()) << second;
  }
}

TEST_F(Refusals, RaiseNoAlarmForABrowserThatLooksIn) {
  for (std::int64_t minute = 0; minute < 60; ++minute) {
    if (minute % 7 == 0) Refuse(RejectionCode::kMethodNotAllowed);
    EXPECT_THAT(Alarms(minute * kMinuteMs), IsEmpty());
  }
}

TEST_F(Refusals, RaiseAnAlarmForASenderWhoseMethodIsRefused) {
  std::vector<RefusalWatch::Notice> alarms;
  for (std::int64_t second = 0; second <= 300 && alarms.empty(); ++second) {
    if (second % 20 == 0) Refuse(RejectionCode::kMethodNotAllowed, static_cast<std::uint64_t>(second));
    alarms = Alarms(second * kSecondMs);
  }
  ASSERT_THAT(alarms, SizeIs(1));
  EXPECT_EQ(alarms[0].code, RejectionCode::kMethodNotAllowed);
  EXPECT_EQ(alarms[0].count, 13u);
}

TEST_F(Refusals, RepeatTheAlarmHourlyWhileTheyGoOnAndEndItOnce) {
  int alarms = 0;
  for (std::int64_t minute = 0; minute < 450; ++minute) {  // 7.5 h
    Refuse(RejectionCode::kInvalidSignature);
    alarms += static_cast<int>(Alarms(minute * kMinuteMs).size());
  }
  EXPECT_EQ(alarms, 8);
  Accept();
  const auto over = Alarms(451 * kMinuteMs);
  ASSERT_THAT(over, SizeIs(1));
  EXPECT_EQ(over[0].kind, Kind::kAcceptsAgain);
  EXPECT_EQ(over[0].count, 450u);
  Accept();
  EXPECT_THAT(Alarms(452 * kMinuteMs), IsEmpty());
}

// The lines that Look and Log write while nothing is accepted, second by second of a clock that is passed in.
TEST_F(Refusals, WriteTheAlarmLineOnceWithinFiveMinutesAndTheLineThatEndsIt) {
  constexpr std::int64_t kAccepted = 10'800;  // 3 h: the alarm is repeated only while refusals go on
  const RefusalHints hints{.config_file = "weir.toml", .data = "data", .kept = true};
  const auto alarm_lines = [&](std::int64_t from_second, std::int64_t to_second) {
    testing::internal::CaptureStderr();
    for (std::int64_t second = from_second; second < to_second; ++second) {
      for (const auto& notice : Look(second * kSecondMs)) Log(notice, hints);
    }
    std::vector<nlohmann::json> lines;
    std::istringstream text(testing::internal::GetCapturedStderr());
    for (std::string line; std::getline(text, line);) {
      auto json = nlohmann::json::parse(line);
      if (json["msg"] != "requests refused") lines.push_back(std::move(json));
    }
    return lines;
  };
  Accept();
  Look(0);
  Refuse(RejectionCode::kInvalidSignature, 0xabc);
  Refuse(RejectionCode::kMissingSignature, 0xdef);
  EXPECT_THAT(alarm_lines(1, 1 + 239), IsEmpty());
  const auto alarm = alarm_lines(1 + 239, 300);
  ASSERT_THAT(alarm, SizeIs(1));
  EXPECT_EQ(alarm[0]["msg"], "ALARM: this source refuses everything that is sent to it");
  EXPECT_EQ(alarm[0]["level"], "error");
  EXPECT_EQ(alarm[0]["source"], "shop");
  EXPECT_EQ(alarm[0]["refused"], 2);
  EXPECT_EQ(alarm[0]["accepted"], 0);
  EXPECT_EQ(alarm[0]["for_seconds"], 240);
  EXPECT_EQ(alarm[0]["code"], "missing_signature");
  EXPECT_EQ(alarm[0]["correlation_id"], "0000000000000def");
  EXPECT_EQ(alarm[0]["explain"], "weir explain --config weir.toml --quarantine 0000000000000def");
  EXPECT_THAT(alarm_lines(300, kAccepted), IsEmpty());
  Accept();
  const auto over = alarm_lines(kAccepted, kAccepted + 2);
  ASSERT_THAT(over, SizeIs(1));
  EXPECT_EQ(over[0]["msg"], "alarm over: this source accepts again");
}

TEST_F(Refusals, NameTheCommandThatExplainsThem) {
  const RefusalHints kept{.config_file = "/etc/weir.toml", .data = "/var/lib/weir", .kept = true};
  RefusalHints unkept = kept;
  unkept.kept = false;
  RefusalWatch::Notice notice{.source = "shop", .code = RejectionCode::kInvalidSignature, .request_id = 255};
  EXPECT_EQ(HintFor(notice, kept), "weir explain --config /etc/weir.toml --quarantine 00000000000000ff");
  EXPECT_THAT(HintFor(notice, unkept), HasSubstr("quarantine = \"64MiB\""));
  notice.code = RejectionCode::kOverloaded;
  EXPECT_EQ(HintFor(notice, kept), "weir status --data /var/lib/weir");
  notice.code = RejectionCode::kBodyTooLarge;
  EXPECT_THAT(HintFor(notice, kept), HasSubstr("`body`"));
  notice.code = RejectionCode::kUnknownSource;
  EXPECT_EQ(HintFor(notice, kept), "weir sources list --data /var/lib/weir");
  notice.code = RejectionCode::kBadContentLength;
  EXPECT_EQ(HintFor(notice, kept), "weir explain --config /etc/weir.toml request.txt");
}

}  // namespace
}  // namespace weir
