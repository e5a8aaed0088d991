#include "bench/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>
#include <vector>

namespace weir::bench {
namespace {

std::expected<Options, Exit> Parse(std::vector<const char*> arguments) {
  std::vector<const char*> all = {"weir-bench", "--url", "http://127.0.0.1:1/", "--kind", "stripe",
                                  "--secret",   "s"};
  all.insert(all.end(), arguments.begin(), arguments.end());
  return ParseOptions(static_cast<int>(all.size()), all.data(), 1'700'000'000);
}

std::string UsageError(std::vector<const char*> arguments) {
  const auto options = Parse(std::move(arguments));
  if (options) return "accepted";
  EXPECT_EQ(options.error().code, kUsage);
  return options.error().text;
}

TEST(BenchOptions, AClosedLoopOfTenSecondsIsTheDefault) {
  const auto options = Parse({});
  ASSERT_TRUE(options);
  EXPECT_EQ(options->duration_ns, 10 * kSecond_ns);
  EXPECT_EQ(options->count, 0u);
  EXPECT_EQ(options->rate_per_s, 0);
  EXPECT_EQ(options->payload_bytes, 800u);
}

TEST(BenchOptions, ACountReplacesTheDuration) {
  const auto options = Parse({"--count", "500"});
  ASSERT_TRUE(options);
  EXPECT_EQ(options->count, 500u);
  EXPECT_EQ(options->duration_ns, 0);
}

TEST(BenchOptions, EveryRunHasAnIdPrefixOfItsOwn) {
  const char* const arguments[] = {"weir-bench", "--url", "u", "--kind", "k", "--secret", "s"};
  EXPECT_NE(ParseOptions(7, arguments, 1)->id_prefix, ParseOptions(7, arguments, 2)->id_prefix);
  EXPECT_EQ(Parse({"--id-prefix", "run7_"})->id_prefix, "run7_");
}

TEST(BenchOptions, RefusesWhatContradictsItself) {
  EXPECT_THAT(UsageError({"--count", "5", "--duration", "5s"}), testing::HasSubstr("--duration"));
  EXPECT_THAT(UsageError({"--duplicates", "0.6", "--invalid", "0.6"}),
              testing::HasSubstr("more than 1 together"));
  EXPECT_THAT(UsageError({"--duration", "2s", "--warmup", "2s"}),
              testing::HasSubstr("shorter than --duration"));
  EXPECT_THAT(UsageError({"--threads", "8", "--connections", "4"}), testing::HasSubstr("more threads"));
}

TEST(BenchOptions, RefusesWhatIsOutOfRangeOrUnknown) {
  EXPECT_THAT(UsageError({"--duplicates", "1.5"}), testing::HasSubstr("--duplicates"));
  EXPECT_THAT(UsageError({"--connections", "0"}), testing::HasSubstr("--connections"));
  EXPECT_THAT(UsageError({"--duration", "5"}), testing::HasSubstr("is not a duration"));
  EXPECT_THAT(UsageError({"--duration", "0s"}), testing::HasSubstr("--duration"));
  EXPECT_THAT(UsageError({"--payload", "1GiB"}), testing::HasSubstr("--payload"));
  EXPECT_THAT(UsageError({"--arrivals", "bursty"}), testing::HasSubstr("--arrivals"));
  EXPECT_THAT(UsageError({"--no-such-option"}), testing::HasSubstr("--no-such-option"));
}

TEST(BenchOptions, ASecretMayComeFromTheEnvironment) {
  setenv("WEIR_BENCH_TEST_SECRET", "whsec_from_env", 1);
  EXPECT_EQ(Parse({"--secret", "env:WEIR_BENCH_TEST_SECRET"}).error().code, kUsage);  // given twice
  const char* const arguments[] = {
      "weir-bench", "--url", "u", "--kind", "k", "--secret", "env:WEIR_BENCH_TEST_SECRET"};
  EXPECT_EQ(ParseOptions(7, arguments, 1)->secret, "whsec_from_env");
  const char* const unset[] = {
      "weir-bench", "--url", "u", "--kind", "k", "--secret", "env:WEIR_BENCH_TEST_UNSET"};
  EXPECT_THAT(ParseOptions(7, unset, 1).error().text, testing::HasSubstr("is not set"));
}

TEST(BenchOptions, HelpIsDataAndHasAnExample) {
  const char* const arguments[] = {"weir-bench", "--help"};
  const auto help = ParseOptions(2, arguments, 1);
  ASSERT_FALSE(help);
  EXPECT_EQ(help.error().code, kDone);
  EXPECT_THAT(help.error().text, testing::HasSubstr("Example:"));
  EXPECT_THAT(help.error().text, testing::HasSubstr("--ledger"));
}

TEST(Durations, HaveUnits) {
  EXPECT_EQ(ParseDuration_ns("250us"), 250 * kMicrosecond_ns);
  EXPECT_EQ(ParseDuration_ns("1.5s"), 1500 * kMillisecond_ns);
  EXPECT_EQ(ParseDuration_ns("2m"), 120 * kSecond_ns);
  for (const char* wrong : {"", "5", "s", "-1s", "1sec", "1e30s", "nan s"})
    EXPECT_FALSE(ParseDuration_ns(wrong)) << wrong;
}

TEST(Sizes, MayHaveUnits) {
  EXPECT_EQ(ParseSize_bytes("800"), 800u);
  EXPECT_EQ(ParseSize_bytes("16KiB"), 16384u);
  for (const char* wrong : {"", "KiB", "1GB", "-5", "65MiB"}) EXPECT_FALSE(ParseSize_bytes(wrong)) << wrong;
}

}  // namespace
}  // namespace weir::bench
