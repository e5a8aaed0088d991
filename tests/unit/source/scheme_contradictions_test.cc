// Schemes that no request could ever satisfy are refused where they are read.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "tests/unit/source/support.h"

namespace weir::source {
namespace {

constexpr std::string_view kId = "\nevent_id = { json = \"/id\" }\n";

// "key: reason" of every error.
std::string ErrorsOf(std::string_view text) {
  const auto scheme = CompileText(std::string(text) + std::string(kId));
  std::string errors;
  if (scheme) return errors;
  for (const SchemeError& error : scheme.error()) errors += error.key + ": " + error.reason + "\n";
  return errors;
}

struct Contradiction {
  const char* name;
  const char* text;
  const char* says;
};

class Contradictions : public testing::TestWithParam<Contradiction> {};

TEST_P(Contradictions, AreRefusedByName) {
  const std::string errors = ErrorsOf(GetParam().text);
  EXPECT_NE(errors.find(GetParam().says), std::string::npos) << errors;
  EXPECT_EQ(std::ranges::count(errors, '\n'), 1) << errors;
}

INSTANTIATE_TEST_SUITE_P(
    Schemes, Contradictions,
    testing::Values(
        Contradiction{"basic_in_hex",
                      "algorithm = 'basic'\nsignature = { header = 'authorization', encoding = 'hex' }",
                      "signature.encoding: of algorithm = \"basic\" is base64"},
        Contradiction{"token_with_encoding",
                      "algorithm = 'token'\nsignature = { header = 'x', encoding = 'base64' }",
                      "signature.encoding: means nothing with algorithm = \"token\""},
        Contradiction{"numbered_in_json",
                      "algorithm = 'hmac-sha256'\nsigned = '{body}'\nsignature = { json = '/s', repeated = "
                      "'numbered' }",
                      "signature.repeated: is for a signature in one header field"},
        Contradiction{"upper_case_base64",
                      "algorithm = 'hmac-sha256'\nsigned = '{body}'\n"
                      "signature = { header = 'x', encoding = 'base64', upper_case = true }",
                      "signature.upper_case: means nothing"},
        Contradiction{
            "padded_hex",
            "algorithm = 'hmac-sha256'\nsigned = '{body}'\nsignature = { header = 'x', padded = true }",
            "signature.padded: means nothing"},
        Contradiction{
            "prefix_with_space",
            "algorithm = 'hmac-sha256'\nsigned = '{body}'\nsignature = { header = 'x', prefix = ' v1=' }",
            "signature.prefix: begins with a space"},
        Contradiction{"required_value_with_space",
                      "algorithm = 'hmac-sha256'\nsigned = '{body}'\nsignature = { header = 'x' }\n"
                      "require = { x-version = '1 ' }",
                      "require: x-version begins or ends with a space"},
        Contradiction{"header_that_is_no_name",
                      "algorithm = 'hmac-sha256'\nsigned = '{body}'\nsignature = { header = 'X Sig:' }",
                      "can be no header field's name"},
        Contradiction{
            "time_in_a_list_that_is_none",
            "algorithm = 'hmac-sha256'\nsigned = '{timestamp}.{body}'\nsignature = { header = 'x' }\n"
            "timestamp = { field = 't' }",
            "timestamp: is a field of the signature's list"},
        Contradiction{"type_in_a_list_that_is_none",
                      "algorithm = 'hmac-sha256'\nsigned = '{body}'\nsignature = { header = 'x' }\n"
                      "event_type = { field = 't' }",
                      "signature: has no list"},
        Contradiction{"claim_without_a_token",
                      "algorithm = 'hmac-sha256'\nsigned = '{body}'\nsignature = { header = 'x' }\n"
                      "event_type = { claim = 't' }",
                      "jwt: has to require the claims"},
        Contradiction{
            "no_methods",
            "algorithm = 'hmac-sha256'\nsigned = '{body}'\nsignature = { header = 'x' }\nmethods = []",
            "methods: is empty"}),
    [](const auto& given) { return std::string(given.param.name); });

TEST(Contradictions, BasicNeedsNothingSaid) {
  EXPECT_EQ(ErrorsOf("algorithm = 'basic'\nsignature = { header = 'authorization' }"), "");
  EXPECT_EQ(ErrorsOf("algorithm = 'basic'\nsignature = { header = 'authorization', prefix = 'Basic ', "
                     "encoding = 'base64' }"),
            "");
}

}  // namespace
}  // namespace weir::source
