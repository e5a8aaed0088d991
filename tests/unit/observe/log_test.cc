#include "engine/observe/log.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

namespace weir::observe::log {
namespace {

constexpr std::int64_t kEnoughMs = 60'000;
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
  Stop(kEnoughMs);
  const auto lines = Lines(testing::internal::GetCapturedStderr());
  EXPECT_EQ(lines.size(), kThreads * kLinesEach);
  EXPECT_TRUE(
      std::all_of(lines.begin(), lines.end(), [](const auto& l) { return nlohmann::json::accept(l); }));
}

TEST(Log, HasWrittenWhatWasQueuedWhenStopReturns) {
  testing::internal::CaptureStderr();
  Start(Level::kInfo);
  for (int i = 0; i < 1000; ++i) Info("line", {{"i", i}});
  Stop(kEnoughMs);
  EXPECT_EQ(Lines(testing::internal::GetCapturedStderr()).size(), 1000u);
}

TEST(Log, MayBeStartedAndStoppedAgain) {
  testing::internal::CaptureStderr();
  Stop(kEnoughMs);
  Start(Level::kInfo);
  Start(Level::kInfo);
  Info("one");
  Stop(kEnoughMs);
  Info("two");
  Start(Level::kInfo);
  Info("three");
  Stop(kEnoughMs);
  EXPECT_EQ(Lines(testing::internal::GetCapturedStderr()).size(), 3u);
}

// For as long as there is one, standard error is a pipe that is full and that nobody reads.
class FullPipe {
 public:
  FullPipe() : before_(dup(STDERR_FILENO)) {
    EXPECT_EQ(pipe2(ends_.data(), O_CLOEXEC | O_NONBLOCK), 0);
    const std::string page(4096, 'x');
    while (write(ends_[1], page.data(), page.size()) > 0) {
    }
    fcntl(ends_[1], F_SETFL, 0);
    dup2(ends_[1], STDERR_FILENO);
  }
  ~FullPipe() {
    dup2(before_, STDERR_FILENO);
    for (const int fd : {before_, ends_[0], ends_[1]}) close(fd);
  }
  FullPipe(const FullPipe&) = delete;
  FullPipe& operator=(const FullPipe&) = delete;

 private:
  int before_;
  std::array<int, 2> ends_{};
};

TEST(Log, DropsAndCountsWhatNobodyReads) {
  const FullPipe pipe;
  const std::uint64_t before = Dropped();
  Start(Level::kInfo);
  for (int i = 0; i < 100; ++i) Info("line", {{"i", i}});
  Stop(1);
  EXPECT_EQ(Dropped(), before + 100);
}

}  // namespace
}  // namespace weir::observe::log
