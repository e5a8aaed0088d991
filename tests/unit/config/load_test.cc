#include "engine/config/load.h"

#include <gtest/gtest.h>
#include <sched.h>

#include <filesystem>
#include <fstream>
#include <optional>
#include <string>

#include "engine/limits.h"

namespace weir::config {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kSource = R"(
[[source]]
name = "github"
kind = "github"
secrets = ["env:SECRET"]
)";

std::optional<std::string> Environment(const std::string& name) {
  if (name == "SECRET") return "from the environment";
  if (name == "OLD") return "the one before";
  return std::nullopt;
}

Config MustParse(const std::string& text, const fs::path& name = "/etc/weir/weir.toml") {
  auto config = Parse(text, name, Environment);
  if (!config) {
    for (const auto& error : config.error()) ADD_FAILURE() << ToString(error);
    return {};
  }
  return std::move(*config);
}

TEST(Load, FillsInWhatIsNotWritten) {
  const Config config = MustParse(std::string(kSource));
  EXPECT_EQ(config.server.listen.size(), 1u);
  EXPECT_EQ(config.server.listen[0].port, 8080);
  EXPECT_EQ(config.server.ack, AckMode::kFsync);
  EXPECT_EQ(config.server.limits.body_bytes, std::size_t{1} << 20);
  EXPECT_FALSE(config.admin.listen.has_value());
  ASSERT_EQ(config.sources.size(), 1u);
  EXPECT_EQ(config.sources[0].dedupe_window_us, 7 * 86'400'000'000);
  EXPECT_EQ(config.sources[0].tolerance_s, source::kKindTolerance) << "the kind's own";
  EXPECT_EQ(config.sources[0].body_bytes_max, 25u << 20) << "the kind's own";
  EXPECT_FALSE(config.sources[0].reject_malformed);
}

TEST(Load, TakesWhatIsWritten) {
  auto config = Load(fs::path(WEIR_TEST_CASES) / "config/good/everything.toml",
                     [](const std::string&) { return "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="; });
  ASSERT_TRUE(config);
  EXPECT_EQ(config->server.listen[1].host, "::1");
  EXPECT_EQ(config->server.threads, 3u);
  EXPECT_EQ(config->server.ack, AckMode::kOs);
  EXPECT_EQ(config->server.drain_timeout_ms, 60'000);
  EXPECT_EQ(config->server.retention_ms, 90 * 86'400'000LL);
  EXPECT_EQ(config->server.limits.header_timeout_ms, 500);
  EXPECT_EQ(config->server.limits.idle_timeout_ms, 7'200'000);
  EXPECT_EQ(config->server.limits.min_free_disk_bytes, 100'000'000u);
  EXPECT_EQ(config->admin.token, "hunter2");
  EXPECT_TRUE(config->sources[0].reject_malformed);
  EXPECT_EQ(config->sources[0].secrets.size(), 2u);
  EXPECT_EQ(config->sources[0].body_bytes_max, 25u << 20);
  EXPECT_EQ(config->sources[1].body_bytes_max, 2u << 20) << "the server's, where a source has no own";
  EXPECT_EQ(config->sinks[0].path, "/var/log/weir/events.ndjson");
  EXPECT_EQ(config->sinks[0].rotate_age_s, 86'400);
  EXPECT_EQ(config->sinks[0].retry.max_ms, 604'800'000);
  EXPECT_EQ(config->sinks[0].breaker.failures, 1u);
  EXPECT_EQ(config->sinks[1].url, "http://[::1]:9000/events?x=1");
  EXPECT_EQ(config->sinks[1].dead_letter_statuses, (std::vector<int>{400, 410, 422}));
  EXPECT_EQ(config->sinks[1].secrets.size(), 1u);
  EXPECT_EQ(config->routes[0].source, "*");
  EXPECT_EQ(config->routes[1].types, (std::vector<std::string>{"push", "*"}));
}

TEST(Load, ReadsRelativePathsFromTheFilesOwnDirectory) {
  const std::string text = "[server]\ndata = \"../store\"\n" + std::string(kSource) +
                           "[[sink]]\nname=\"a\"\nkind=\"file\"\npath=\"out/a.ndjson\"\n"
                           "[[route]]\nsource=\"*\"\nsink=\"a\"\n";
  const Config config = MustParse(text);
  EXPECT_EQ(config.server.data, "/etc/store");
  EXPECT_EQ(config.sinks[0].path, "/etc/weir/out/a.ndjson");
  EXPECT_EQ(MustParse(text, "weir.toml").server.data, (fs::current_path() / "../store").lexically_normal())
      << "a name without a directory is in the working directory";
}

TEST(Load, KeepsTheOrderOfSecrets) {
  const Config config = MustParse(R"(
[[source]]
name = "github"
kind = "github"
secrets = ["env:SECRET", "env:OLD"]
secrets_insecure = ["a literal one that is long enough"]
)");
  EXPECT_EQ(config.sources[0].secrets, (std::vector<std::string>{"from the environment", "the one before",
                                                                 "a literal one that is long enough"}));
}

TEST(Load, CallsASecretByItsNameOrReferenceAndALiteralByNeitherItselfNorItsPlace) {
  const std::string head = "[[source]]\nname=\"github\"\nkind=\"github\"\n";
  const Config config = MustParse(head + R"(
secrets = ["env:SECRET", { secret = "env:OLD", name = "2026-01" }]
secrets_insecure = ["a literal one that is long enough"]
)");
  const auto& names = config.sources[0].secret_names;
  ASSERT_EQ(names.size(), 3u);
  EXPECT_EQ(names[0], "env:SECRET");
  EXPECT_EQ(names[1], "2026-01");
  EXPECT_TRUE(names[2].starts_with("insecure:") && names[2].size() == 13) << names[2];

  const Config turned = MustParse(head + R"(
secrets = [{ secret = "env:OLD", name = "2026-01" }, "env:SECRET"]
secrets_insecure = ["another literal that is long enough", "a literal one that is long enough"]
)");
  const auto& after = turned.sources[0].secret_names;
  EXPECT_EQ(after[0], "2026-01");
  EXPECT_EQ(after[1], "env:SECRET");
  EXPECT_NE(after[2], names[2]);
  EXPECT_EQ(after[3], names[2]);
}

TEST(Load, LeavesACoreToTheCommitterWhereThereAreMoreThanTwo) {
  cpu_set_t before;
  ASSERT_EQ(sched_getaffinity(0, sizeof before, &before), 0);
  const int cores = CPU_COUNT(&before);
  EXPECT_EQ(MustParse(std::string(kSource)).server.threads,
            static_cast<unsigned>(cores > 2 ? cores - 1 : cores));

  cpu_set_t one;
  CPU_ZERO(&one);
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (!CPU_ISSET(cpu, &before)) continue;
    CPU_SET(cpu, &one);
    break;
  }
  ASSERT_EQ(sched_setaffinity(0, sizeof one, &one), 0);
  EXPECT_EQ(MustParse(std::string(kSource)).server.threads, 1u) << "the mask counts, not the machine";
  ASSERT_EQ(sched_setaffinity(0, sizeof before, &before), 0);
}

TEST(Load, GivesThePlaceOfAFileThatCannotBeRead) {
  const auto missing = Load("/no/such/weir.toml", Environment);
  ASSERT_FALSE(missing);
  EXPECT_EQ(ToString(missing.error()[0]), "/no/such/weir.toml: cannot be opened: No such file or directory");
  EXPECT_FALSE(Load("/", Environment)) << "a directory";
}

TEST(Load, RefusesAFileTooLargeToBeAConfiguration) {
  const fs::path file = fs::path(testing::TempDir()) / "load_test_huge.toml";
  std::ofstream(file) << std::string(limits::kConfigFileBytesMax + 1, '#');
  const auto config = Load(file, Environment);
  fs::remove(file);
  ASSERT_FALSE(config);
  EXPECT_NE(config.error()[0].reason.find("too large"), std::string::npos);
}

TEST(Load, BoundsTheNumberOfSinks) {
  std::string text(kSource);
  for (std::size_t i = 0; i <= limits::kSinksMax; ++i) {
    text += "[[sink]]\nname = \"s" + std::to_string(i) + "\"\nkind = \"file\"\npath = \"p" +
            std::to_string(i) + "\"\n";
  }
  const auto config = Parse(text, "weir.toml", Environment);
  ASSERT_FALSE(config);
  EXPECT_EQ(config.error()[0].key, "sink");
}

TEST(Load, NeverPutsALiteralSecretIntoAMessage) {
  const auto config = Parse(
      "[admin]\ntoken = \"hunter2\"\n[[source]]\nname = \"a\"\nkind = \"github\"\n"
      "secrets = [\"hunter2\"]\n",
      "weir.toml", Environment);
  ASSERT_FALSE(config);
  for (const auto& error : config.error()) EXPECT_EQ(ToString(error).find("hunter2"), std::string::npos);
}

TEST(Load, WritesAFindingAsFileLineKeyReason) {
  EXPECT_EQ(
      ToString({.file = "weir.toml", .line = 7, .column = 3, .key = "server.data", .reason = "is empty"}),
      "weir.toml:7: server.data: is empty");
  EXPECT_EQ(ToString({.file = "weir.toml", .line = 7, .column = 3, .key = "", .reason = "syntax"}),
            "weir.toml:7: syntax");
}

}  // namespace
}  // namespace weir::config
