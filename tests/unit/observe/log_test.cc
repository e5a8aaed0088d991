#include "engine/observe/log.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

namespace weir::observe::log {
namespace {

constexpr std::int64_t kNowUs = 1'774'000'000'000'042;

std::vector<std::string> Lines(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

TEST(LogLine, BeginsWithTimeLevelAndMessageAndKeepsTheOrderOfItsFields) {
  EXPECT_EQ(FormatLine(kNowUs, Level::kWarn, "slow",
                       {{"sink", "billing"}, {"attempt", 3}, {"ms", 1.5}, {"ok", false}, {"bytes", 7u}}),
            R"({"time":"2026-03-20T09:46:40.000042Z","level":"warn","msg":"slow",)"
            R"("sink":"billing","attempt":3,"ms":1.5,"ok":false,"bytes":7})");
}

TEST(LogLine, CannotBeForgedByWhatASenderWrites) {
  const std::string line = FormatLine(kNowUs, Level::kInfo, "x", {{"type", "a\"}\n{\"level\":\"error"}});
  EXPECT_EQ(line.find('\n'), std::string::npos);
  EXPECT_EQ(nlohmann::json::parse(line)["type"], "a\"}\n{\"level\":\"error");
}

TEST(LogLine, WritesNullWhereJsonHasNoNumber) {
  const std::string line = FormatLine(kNowUs, Level::kInfo, "x", {{"rate", 1.0 / 0.0}});
  EXPECT_TRUE(nlohmann::json::parse(line)["rate"].is_null());
}

TEST(LogLine, CarriesTheWidestIntegers) {
  const std::string line = FormatLine(kNowUs, Level::kInfo, "x", {{"lo", INT64_MIN}, {"hi", UINT64_MAX}});
  const auto parsed = nlohmann::json::parse(line);
  EXPECT_EQ(parsed["lo"], INT64_MIN);
  EXPECT_EQ(parsed["hi"], UINT64_MAX);
}

TEST(LogLine, DatesATimeBeforeTheEpoch) {
  EXPECT_EQ(FormatLine(-1, Level::kInfo, "x", {}).substr(0, 36), R"({"time":"1969-12-31T23:59:59.999999Z)");
}

TEST(LogLevel, RoundTripsItsNamesAndKnowsNoOther) {
  for (const Level level : {Level::kDebug, Level::kInfo, Level::kWarn, Level::kError}) {
    EXPECT_EQ(ParseLevel(LevelName(level)), level);
  }
  EXPECT_EQ(ParseLevel("verbose"), std::nullopt);
}

TEST(Log, WritesAtOnceWhenNoWriterRuns) {
  SetLevel(Level::kInfo);
  testing::internal::CaptureStderr();
  Info("early", {{"n", 1}});
  const auto lines = Lines(testing::internal::GetCapturedStderr());
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_EQ(nlohmann::json::parse(lines[0])["msg"], "early");
}

TEST(Log, SaysNothingBelowItsLevel) {
  SetLevel(Level::kWarn);
  testing::internal::CaptureStderr();
  Debug("no");
  Info("no");
  Error("yes");
  EXPECT_EQ(Lines(testing::internal::GetCapturedStderr()).size(), 1u);
  SetLevel(Level::kInfo);
}

TEST(Log, WritesEverythingQueuedBeforeStopReturns) {
  testing::internal::CaptureStderr();
  Start(Level::kInfo);
  constexpr std::size_t kThreads = 4;
  constexpr std::size_t kLinesEach = 500;
  std::vector<std::thread> threads;
  threads.reserve(kThreads);
  for (std::size_t t = 0; t < kThreads; ++t) {
    threads.emplace_back([t] {
      for (std::size_t i = 0; i < kLinesEach; ++i) Info("line", {{"thread", t}, {"i", i}});
    });
  }
  for (auto& thread : threads) thread.join();
  Stop();
  const auto lines = Lines(testing::internal::GetCapturedStderr());
  EXPECT_EQ(lines.size(), kThreads * kLinesEach);
  EXPECT_TRUE(
      std::all_of(lines.begin(), lines.end(), [](const auto& l) { return nlohmann::json::accept(l); }));
}

TEST(Log, HasWrittenWhatWasQueuedWhenFlushReturns) {
  testing::internal::CaptureStderr();
  Start(Level::kInfo);
  for (int i = 0; i < 1000; ++i) Info("line", {{"i", i}});
  Flush();
  EXPECT_EQ(Lines(testing::internal::GetCapturedStderr()).size(), 1000u);
  testing::internal::CaptureStderr();
  Info("after");
  Stop();
  EXPECT_EQ(Lines(testing::internal::GetCapturedStderr()).size(), 1u);
}

TEST(Log, MayBeStartedAndStoppedAgain) {
  testing::internal::CaptureStderr();
  Stop();
  Start(Level::kInfo);
  Start(Level::kInfo);
  Info("one");
  Stop();
  Info("two");
  Start(Level::kInfo);
  Info("three");
  Stop();
  EXPECT_EQ(Lines(testing::internal::GetCapturedStderr()).size(), 3u);
}

}  // namespace
}  // namespace weir::observe::log
