// Runs tests/cases/config. A case says at its top what is to be found in it, one comment a finding:
//   # expect LINE: KEY: PART OF THE REASON      (bad/: exactly these errors)
//   # warn LINE: KEY: PART OF THE REASON        (good/: loads, with exactly these warnings)
// LINE is "-" for a mistake without a place.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "engine/config/load.h"

namespace weir::config {
namespace {

namespace fs = std::filesystem;

std::optional<std::string> CaseEnvironment(const std::string& name) {
  static const std::map<std::string, std::string> kVariables = {
      {"SECRET", "a-secret-that-is-long-enough-for-anyone"},
      {"OTHER_SECRET", "another-secret-that-is-long-enough"},
      {"WHSEC", "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="},
      {"NOT_BASE64", "whsec_???"},
      {"SHORT", "short"},
      {"BASIC", "user:password"},
      {"SPACE_BEHIND", "a-secret-that-is-long-enough-for-anyone "},
      {"SPACE_BEFORE", " a-secret-that-is-long-enough-for-anyone"},
      {"TAB_BEHIND", "whsec_abc\t"},
      {"LINE_END", "whsec_abc\n"},
      {"CRLF", "whsec_abc\r\n"},
      {"QUOTED", "\"whsec_abc\""},
      {"SINGLE_QUOTED", "'whsec_abc'"},
      {"BOM", "\xEF\xBB\xBFwhsec_abc"},
      {"NO_BREAK_SPACE", "whsec_abc\xC2\xA0"},
      {"SPACE_WITHIN", "whsec_abc def"},
      {"ASSIGNMENT", "STRIPE_SECRET=whsec_abc"},
      {"EXPORT", "export STRIPE_SECRET=whsec_abc"},
      {"VARIABLE", "${STRIPE_SECRET}"},
      {"SHELL_VARIABLE", "$STRIPE_SECRET"},
      {"TEMPLATE", "{{ .Values.secret }}"},
      {"ANGLES", "<your secret>"},
      {"PADDED", "QUJD="},
      {"BEARER", "bearer abc"},
      {"STRIPE_API_KEY", "sk_live_abc"},
      {"GITHUB_TOKEN", "ghp_abc"},
      {"SLACK_TOKEN", "xoxb-abc"},
      {"SHOPIFY_TOKEN", "shpat_abc"},
      {"EMPTY", ""}};
  const auto found = kVariables.find(name);
  return found == kVariables.end() ? std::nullopt : std::optional(found->second);
}

struct Expectation {
  std::string place_and_key;  // "7: server.threads"
  std::string reason_part;
};

std::vector<Expectation> ExpectationsOf(const fs::path& file, const std::string& word) {
  std::vector<Expectation> expectations;
  std::ifstream stream(file);
  const std::string mark = "# " + word + ' ';
  for (std::string line; std::getline(stream, line);) {
    if (!line.starts_with(mark)) continue;
    line.erase(0, mark.size());
    // The key is absent where the line is.
    const std::size_t first = line.find(": ");
    const std::size_t second = line.starts_with('-') ? first : line.find(": ", first + 1);
    const bool keyed = second != std::string::npos;
    expectations.push_back({.place_and_key = line.substr(0, keyed ? second : first),
                            .reason_part = line.substr((keyed ? second : first) + 2)});
  }
  return expectations;
}

std::string PlaceAndKey(const ConfigError& error) {
  return (error.line == 0 ? "-" : std::to_string(error.line)) + (error.key.empty() ? "" : ": " + error.key);
}

std::string Listing(const std::vector<ConfigError>& found) {
  std::string text;
  for (const ConfigError& error : found) text += ToString(error) + '\n';
  return text;
}

void ExpectFound(std::vector<ConfigError> found, const std::vector<Expectation>& expectations) {
  const std::string listing = Listing(found);
  for (const Expectation& expected : expectations) {
    const auto match = std::ranges::find_if(found, [&](const ConfigError& error) {
      return PlaceAndKey(error) == expected.place_and_key &&
             error.reason.find(expected.reason_part) != std::string::npos;
    });
    if (match == found.end()) {
      ADD_FAILURE() << "not found: " << expected.place_and_key << ": …" << expected.reason_part << "…\nin:\n"
                    << listing;
    } else {
      found.erase(match);
    }
  }
  EXPECT_TRUE(found.empty()) << "not expected:\n" << Listing(found);
}

std::vector<fs::path> CasesIn(const char* folder) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(fs::path(WEIR_TEST_CASES) / "config" / folder)) {
    if (entry.path().extension() == ".toml") files.push_back(entry.path());
  }
  std::ranges::sort(files);
  return files;
}

std::string NameOf(const testing::TestParamInfo<fs::path>& info) {
  return info.param.stem().string();
}

class BadConfiguration : public testing::TestWithParam<fs::path> {};

TEST_P(BadConfiguration, IsRefusedWithEveryMistakeAtItsPlace) {
  const auto expectations = ExpectationsOf(GetParam(), "expect");
  ASSERT_FALSE(expectations.empty());
  const auto config = Load(GetParam(), CaseEnvironment);
  ASSERT_FALSE(config) << "it loaded";
  ExpectFound(config.error(), expectations);
}

INSTANTIATE_TEST_SUITE_P(Case, BadConfiguration, testing::ValuesIn(CasesIn("bad")), NameOf);

class GoodConfiguration : public testing::TestWithParam<fs::path> {};

TEST_P(GoodConfiguration, Loads) {
  const auto config = Load(GetParam(), CaseEnvironment);
  ASSERT_TRUE(config) << Listing(config.error());
  ExpectFound(config->warnings, ExpectationsOf(GetParam(), "warn"));
}

INSTANTIATE_TEST_SUITE_P(Case, GoodConfiguration, testing::ValuesIn(CasesIn("good")), NameOf);

}  // namespace
}  // namespace weir::config
