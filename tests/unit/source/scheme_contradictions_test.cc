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
  const auto scheme = CompileText(std::string(kId) + std::string(text));
  std::string errors;
  if (scheme) return errors;
  for (const SchemeError& error : scheme.error()) errors += error.key + ": " + error.reason + "\n";
  return errors;
}

struct Contradiction {
  const char* name;
  std::string text;
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
                      "algorithm = 'hmac-sha256'\nsigned = '{json:/a}'\ncovers_body = false\n"
                      "signature = { json = '/s', repeated = 'numbered' }",
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
            "signature.prefix: begins or ends with a space"},
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

// A scheme that works, but for what is given.
std::string Hmac(std::string_view signature, std::string_view more, std::string_view text = "{body}") {
  return "algorithm = 'hmac-sha256'\nsigned = '" + std::string(text) + "'\nsignature = { " +
         std::string(signature) + " }\n" + std::string(more);
}

INSTANTIATE_TEST_SUITE_P(
    Siblings, Contradictions,
    testing::Values(
        Contradiction{"constant_signature", Hmac("constant = 'x'", ""), "signature: is in a \"x\""},
        Contradiction{"claimed_signature", Hmac("claim = 'x'", ""), "signature: is in a claim x"},
        Contradiction{"hashed_signature", Hmac("body = 'sha256'", ""),
                      "signature: is in a SHA-256 of the body"},
        Contradiction{"signature_nowhere", Hmac("any = []", ""), "signature.any: is empty"},
        Contradiction{"signature_in_content_length", Hmac("header = 'Content-Length'", ""),
                      "signature.header: \"content-length\" is a field that HTTP itself reads"},
        Contradiction{"signature_in_expect", Hmac("header = 'expect'", ""), "signature.header: \"expect\""},
        Contradiction{"signature_in_encoding", Hmac("header = 'content-encoding'", ""), "signature.header:"},
        Contradiction{"control_in_prefix", Hmac("header = 'x', prefix = \"v1=\\u0001\"", ""),
                      "signature.prefix: holds a control character"},
        Contradiction{"separator_of_hex", Hmac("header = 'x', list = { separator = 'a', pick = ['v1'] }", ""),
                      "signature.list.separator: may stand in a signature"},
        Contradiction{
            "separator_of_base64",
            Hmac("header = 'x', encoding = 'base64', list = { separator = '=', assign = ':', pick = ['v1'] }",
                 ""),
            "signature.list.separator: may stand in a signature"},
        Contradiction{
            "separator_of_base64url",
            Hmac("header = 'x', encoding = 'base64url', list = { separator = '-', pick = ['v1'] }", ""),
            "signature.list.separator: may stand in a signature"},
        Contradiction{"separator_in_pick", Hmac("header = 'x', list = { pick = ['v,1'] }", ""),
                      "signature.list.pick: \"v,1\" can be no item's name"},
        Contradiction{"assign_in_first", Hmac("header = 'x', list = { pick = ['v1'], first = 't=' }", ""),
                      "signature.list.first: can be no item's name"},
        Contradiction{"parameter_in_signed", Hmac("header = 'x'", "", "{body}{parameter:app}"),
                      "signed: names the parameter \"app\""},
        Contradiction{
            "issuer_parameter",
            "algorithm = 'jwt'\nsignature = { header = 'x' }\njwt = { algorithms = ['HS256'], body_hash "
            "= 'h', "
            "issuer_parameter = 'who' }",
            "jwt: names the parameter \"who\""},
        Contradiction{
            "guard_parameter",
            Hmac("header = 'x'",
                 "[[handshake]]\nguard = 'parameter'\nguarded = { query = 'a' }\nguard_parameter = 'token'\n"
                 "match = { method = 'GET' }"),
            "handshake[0].guard_parameter: names the parameter \"token\""},
        Contradiction{"parameter_in_reply",
                      Hmac("header = 'x'",
                           "[[handshake]]\nmatch = { method = 'GET' }\nreply = { text = '{parameter:app}' }"),
                      "handshake[0].reply.text: names the parameter \"app\""},
        Contradiction{"body_in_reply",
                      Hmac("header = 'x'",
                           "[[handshake]]\nmatch = { method = 'GET' }\nreply = { json = { a = '{body}' } }"),
                      "handshake[0].reply.json: can say text"},
        Contradiction{"hmac_without_a_key",
                      Hmac("header = 'x'",
                           "[[handshake]]\nguard = 'none'\nmatch = { method = 'GET' }\nreply = { text = "
                           "'{hmac_hex(query:a)}' }"),
                      "handshake[0].reply.text: uses {hmac_hex"},
        Contradiction{"handshake_of_every_post",
                      Hmac("header = 'x'", "[[handshake]]\nguard = 'none'\nmatch = {}"),
                      "handshake[0].match: is every POST"},
        Contradiction{"signed_handshake_of_every_post",
                      Hmac("header = 'x'", "[[handshake]]\nmatch = { method = 'POST' }"),
                      "handshake[0].match: is every POST"},
        Contradiction{"headers_there_and_absent",
                      Hmac("header = 'x'",
                           "[[handshake]]\nmatch = { method = 'GET', headers = { x-a = '*' }, headers_absent "
                           "= ['X-A'] }"),
                      "handshake[0].match.headers_absent: and headers both name X-A"},
        Contradiction{"headers_of_two_values",
                      Hmac("header = 'x'",
                           "[[handshake]]\nmatch = { method = 'GET', headers = { x-a = '1', X-A = '2' } }"),
                      "handshake[0].match.headers: want"},
        Contradiction{"select_against_require",
                      Hmac("header = 'x'", "select = { x-version = 'v1' }\nrequire = { X-Version = 'v2' }"),
                      "require: and select want header X-Version to be two things at once"},
        Contradiction{"required_name_with_blank", Hmac("header = 'x'", "require = { 'x version' = '*' }"),
                      "require: \"x version\" can be no header field's name"},
        Contradiction{"selected_value_with_control",
                      Hmac("header = 'x'", "select = { x-version = \"v1\\n\" }"),
                      "select: x-version holds a control character"},
        Contradiction{"signed_header_with_blank", Hmac("header = 'x'", "", "{header:x id}.{body}"),
                      "\"x id\" can be no header field's name"},
        Contradiction{"signs_its_own_field", Hmac("header = 'x'", "", "{header:X}{body}"),
                      "signed: names the signature's own field"},
        Contradiction{"signs_the_body_it_stands_in", Hmac("json = '/sign'", ""),
                      "signed: covers the body, in which"},
        Contradiction{"time_in_the_signature",
                      Hmac("header = 'x'", "timestamp = { header = 'X' }", "{timestamp}{body}"),
                      "timestamp: stands in the signature's own field"},
        Contradiction{"constant_time",
                      Hmac("header = 'x'", "timestamp = { constant = '1' }", "{timestamp}{body}"),
                      "timestamp: is no time that a request brings"},
        Contradiction{"picked_time",
                      Hmac("header = 'x', list = { pick = ['v1'] }", "timestamp = { field = 'v1' }",
                           "{timestamp}{body}"),
                      "timestamp: is a field that signature.list.pick takes"},
        Contradiction{"content_type_with_parameter",
                      Hmac("header = 'x'", "content_types = ['application/json; charset=utf-8']"),
                      "content_types:"},
        Contradiction{"content_type_without_subtype", Hmac("header = 'x'", "content_types = ['JSON']"),
                      "content_types:"},
        Contradiction{"any_content_type", Hmac("header = 'x'", "content_types = ['*/*']"), "content_types:"},
        Contradiction{"json_id_of_forms",
                      Hmac("header = 'x'", "content_types = ['application/x-www-form-urlencoded']"),
                      "content_types:"},
        Contradiction{"number_of_rfc3339",
                      Hmac("header = 'x'", "timestamp = { json = '/t', unit = 'rfc3339', number = true }",
                           "{timestamp}{body}"),
                      "timestamp: has number = true"},
        Contradiction{
            "number_in_a_header",
            Hmac("header = 'x'", "timestamp = { header = 't', number = true }", "{timestamp}{body}"),
            "timestamp: has number = true"},
        Contradiction{
            "no_tolerance",
            Hmac("header = 'x'", "timestamp = { header = 't', tolerance = '0s' }", "{timestamp}{body}"),
            "timestamp: takes nothing that is a second old"},
        Contradiction{"required_coding", Hmac("header = 'x'", "require = { Content-Encoding = 'gzip' }"),
                      "require: wants a Content-Encoding"},
        Contradiction{"body_of_204", Hmac("header = 'x'", "accepted = { status = 204, body = 'ok' }"),
                      "accepted.body: cannot be sent"},
        Contradiction{"empty_test_id", Hmac("header = 'x'", "test_ids = ['', 'test']"),
                      "test_ids: has an empty one"}),
    [](const auto& given) { return std::string(given.param.name); });

struct Identity {
  const char* name;
  const char* id;
  const char* says;
};

class Identities : public testing::TestWithParam<Identity> {};

TEST_P(Identities, ThatNoRequestHasAreRefusedByName) {
  const bool token = std::string_view(GetParam().name).starts_with("token");
  const std::string proof =
      token ? "algorithm = 'token'\nsignature = { header = 'x' }\n" : Hmac("header = 'x'", "");
  const auto scheme = CompileText(proof + GetParam().id);
  ASSERT_FALSE(scheme.has_value());
  ASSERT_EQ(scheme.error().size(), 1U);
  EXPECT_EQ(scheme.error().front().key + ": " + scheme.error().front().reason.substr(0, 30),
            std::string(GetParam().says));
}

INSTANTIATE_TEST_SUITE_P(
    Schemes, Identities,
    testing::Values(
        Identity{"constant", "event_id = { constant = 'a' }", "event_id: may be a constant alone, so th"},
        Identity{"constant_at_last", "event_id = [{ json = '/id' }, { constant = 'a' }]",
                 "event_id: may be a constant alone, so th"},
        Identity{"envelope_of_a_list", "batch = ''\nevent_id = { envelope = '/id' }",
                 "event_id: is in the envelope of a batch "},
        Identity{"whole_document", "event_id = { json = '' }", "event_id: is the whole document, which i"},
        Identity{"envelope_of_none", "event_id = { envelope = '/id' }",
                 "event_id: is in the envelope of a batch,"},
        Identity{"form_of_json", "content_types = ['application/json']\nevent_id = { form = 'id' }",
                 "content_types: have no application/x-www-form"},
        Identity{"token", "event_id = { header = 'x' }", "signature: is the place of event_id too: "}),
    [](const auto& given) { return std::string(given.param.name); });

TEST(Contradictions, WhatWorksIsTaken) {
  for (const std::string& text :
       {Hmac("header = 'x', encoding = 'base64', list = { separator = ',', assign = '=', pick = ['v1'] }",
             ""),
        Hmac("header = 'x', prefix = 'Bearer '", ""),
        Hmac("header = 'x'", "content_types = ['Application/JSON']"),
        Hmac("header = 'x'", "select = { x-version = 'V1' }\nrequire = { X-Version = 'v1', x-topic = '*' }"),
        Hmac("header = 'x'", "[parameters.app]\nhelp = 'the id'\nrequired = true", "{body}{parameter:app}"),
        Hmac("header = 'x'", "[[handshake]]\nguard = 'none'\nmatch = { method = 'GET' }"),
        Hmac("header = 'x'", "[[handshake]]\nguard = 'none'\nmatch = { json = { '/type' = 'ping' } }")}) {
    EXPECT_EQ(ErrorsOf(text), "") << text;
  }
}

TEST(Contradictions, BasicNeedsNothingSaid) {
  EXPECT_EQ(ErrorsOf("algorithm = 'basic'\nsignature = { header = 'authorization' }"), "");
  EXPECT_EQ(ErrorsOf("algorithm = 'basic'\nsignature = { header = 'authorization', prefix = 'Basic ', "
                     "encoding = 'base64' }"),
            "");
}

}  // namespace
}  // namespace weir::source
