#include "tools/status_screen.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>
#include <string>

#include "tests/unit/tools/command_fixture.h"

namespace weir::tools {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(FormatBytes, SaysThreeDigitsAtMost) {
  EXPECT_EQ(FormatBytes(0), "0 B");
  EXPECT_EQ(FormatBytes(999), "999 B");
  EXPECT_EQ(FormatBytes(1440), "1.4 kB");
  EXPECT_EQ(FormatBytes(999'600), "1.0 MB");
  EXPECT_EQ(FormatBytes(42'000'000'000), "42 GB");
  EXPECT_EQ(FormatBytes(7.2e15), "7200 TB");
}

Json Report(std::uint64_t received, std::uint64_t processed) {
  const Json latency = {{"count", 10}, {"p50_ms", 0.81}, {"p99_ms", 12.4}, {"p999_ms", 40.2}};
  return {
      {"server",
       {{"running", true},
        {"version", "1"},
        {"ring", "test"},
        {"uptime_seconds", 7200},
        {"ready", true},
        {"reasons", Json::array()},
        {"resident_bytes", 90'000'000}}},
      {"ingest",
       {{"received", received},
        {"duplicates", 2},
        {"rejected", 1},
        {"connections", 3},
        {"inflight_bytes", 2048},
        {"latency", latency},
        {"sources", Json::array({{{"source", "stripe"},
                                  {"received", received},
                                  {"duplicates", 2},
                                  {"rejected", 1},
                                  {"latency", latency}}})}}},
      {"commit",
       {{"batches", 5}, {"events_per_batch", 2.5}, {"sync", latency}, {"wait", latency}, {"queue_depth", 0}}},
      {"log", {{"first_sequence", 1}, {"last_sequence", received}, {"bytes", 4096}}},
      {"disk", {{"free_bytes", 1'000'000'000}, {"floor_bytes", 256'000'000}}},
      {"sinks", Json::array({{{"sink", "billing"},
                              {"processed", processed},
                              {"failed_attempts", 4},
                              {"queue_depth", 9},
                              {"oldest_pending_seconds", 75.0},
                              {"retry_queue_size", 1},
                              {"dead_letters", 2},
                              {"breaker_open", true},
                              {"latency", latency}}})},
      {"never_deliverable", 0}};
}

TEST(StatusScreen, MakesRatesOfTwoReports) {
  const std::string screen = StatusScreen(Report(3000, 500), Report(1000, 400), 2.0);
  EXPECT_THAT(screen, HasSubstr("ingest    1000/s now; 3000 stored, 2 duplicates, 1 rejected"));
  EXPECT_THAT(screen, HasSubstr("ready     yes"));
  EXPECT_THAT(screen, HasSubstr("p50 0.81 ms, p99 12 ms"));
  EXPECT_THAT(screen, testing::ContainsRegex("billing +50/s +500 +4 +12 ms +open"));
  EXPECT_THAT(screen, testing::ContainsRegex("billing +9 +1m15s +1 +2\n"));
}

TEST(StatusScreen, SaysWhatHoldsASink) {
  Json report = Report(1, 1);
  report["sinks"][0]["held"] = "the disk is nearly full: nothing is settled";
  EXPECT_THAT(StatusScreen(report, report, 0),
              HasSubstr("held      billing delivers nothing: the disk is nearly full: nothing is settled\n"));
}

TEST(StatusScreen, SaysWhenASourceLastReceivedAndWhatItLastRefused) {
  Json report = Report(1, 1);
  report["at"] = "2026-11-21T21:22:00Z";
  Json& source = report["ingest"]["sources"][0];
  source["last_received_at"] = "2026-11-21T21:00:00Z";
  source["last_refused"] = {{"at", "2026-11-21T21:21:48Z"},
                            {"code", "invalid_signature"},
                            {"correlation_id", "9f86d081884c7d65"},
                            {"detail", "the certificate Next.pem is not among the source's certificates"}};
  const std::string screen = StatusScreen(report, report, 1);
  EXPECT_THAT(screen,
              testing::ContainsRegex("stripe +22m ago +12s ago +invalid_signature +9f86d081884c7d65"));
  EXPECT_THAT(screen, HasSubstr("stripe: the certificate Next.pem is not among the source's certificates\n"));
  EXPECT_THAT(screen, HasSubstr("NOTHING ACCEPTED since the last refusal: stripe\n"));
  source["last_received_at"] = "2026-11-21T21:21:50Z";
  EXPECT_THAT(StatusScreen(report, report, 1), Not(HasSubstr("NOTHING ACCEPTED")));
}

TEST(StatusScreen, FitsEightyColumnsWithLongNamesAndLargeNumbers) {
  Json report = Report(18'000'000'000, 17'000'000'000);
  report["at"] = "2026-11-21T21:22:00Z";
  report["ingest"]["sources"][0]["source"] = std::string(64, 's');
  report["sinks"][0]["sink"] = std::string(64, 'k');
  std::istringstream lines(StatusScreen(report, report, 1));
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 80u) << line;
}

TEST(StatusScreen, CountsTheEventsThatRetentionLeft) {
  Json report = Report(3000, 500);
  EXPECT_THAT(StatusScreen(report, report, 1), HasSubstr("log       3000 events"));
  report["log"]["first_sequence"] = 2901;
  EXPECT_THAT(StatusScreen(report, report, 1), HasSubstr("log       100 events"));
  report["log"]["first_sequence"] = report["log"]["last_sequence"] = 0;
  EXPECT_THAT(StatusScreen(report, report, 1), HasSubstr("log       0 events"));
}

TEST(StatusScreen, NamesEveryReasonAgainstReadiness) {
  Json report = Report(1, 1);
  report["server"]["ready"] = false;
  report["server"]["reasons"] = {"disk: 1 bytes free", "store: failed"};
  const std::string screen = StatusScreen(report, report, 1);
  EXPECT_THAT(screen, HasSubstr("NOT READY disk: 1 bytes free\nNOT READY store: failed\n"));
}

using StatusCommand = CommandTest;

TEST_F(StatusCommand, SaysWhatTheStoreKnowsWithoutAServer) {
  Put({.id = "a"});
  Put({.id = "b"});
  Sink("billing", 1);
  ASSERT_EQ(Run({"status", "--data", Data()}), kDone) << err_;
  EXPECT_THAT(out_, HasSubstr("not running"));
  EXPECT_THAT(out_, HasSubstr("log       2 events"));
  EXPECT_THAT(out_, testing::ContainsRegex("billing +1 +- +0 +0"));
  ASSERT_EQ(Run({"status", "--data", Data(), "--json"}), kDone);
  EXPECT_FALSE(Json::parse(out_)["server"]["running"]);
}

TEST_F(StatusCommand, AsksTheServerWhenOneRuns) {
  Put({.id = "a"});
  Serve();
  ASSERT_EQ(Run({"status", "--data", Data(), "--json"}), kDone) << err_;
  const Json json = Json::parse(out_);
  EXPECT_TRUE(json["server"]["running"]);
  EXPECT_EQ(json["log"]["last_sequence"], 1);
}

}  // namespace
}  // namespace weir::tools
