#include "engine/source/scheme_toml.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/unit/source/support.h"

namespace weir::source {
namespace {

using testing::HasSubstr;

constexpr std::string_view kAcme = R"(
algorithm = "hmac-sha256"
signature = { header = "X-Acme-Signature", prefix = "sha256=", encoding = "hex" }
timestamp = { header = "X-Acme-Timestamp", unit = "s" }
signed    = "{timestamp}.{body}"
event_id   = { json = "/id" }
event_type = { json = "/type" }
)";

// "line:column key: reason" of every mistake.
std::vector<std::string> Mistakes(std::string_view text) {
  std::vector<std::string> all;
  const auto scheme = CompileText(text);
  if (scheme) return all;
  for (const SchemeError& error : scheme.error()) {
    all.push_back(std::to_string(error.line) + ":" + std::to_string(error.column) + " " + error.key + ": " +
                  error.reason);
  }
  return all;
}

std::string OnlyMistake(std::string_view text) {
  const auto all = Mistakes(text);
  return all.size() == 1 ? all.front() : "there are " + std::to_string(all.size());
}

// The documented scheme with one line replaced.
std::string With(std::string_view key, std::string_view line) {
  std::string text;
  for (std::string_view rest = kAcme; !rest.empty();) {
    const std::string_view one = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(one.size() + 1, rest.size()));
    text += one.starts_with(key) ? line : one;
    text += '\n';
  }
  return text;
}

TEST(SchemeToml, TheDocumentedExampleCompiles) {
  const auto scheme = SchemeFrom(kAcme);
  ASSERT_TRUE(scheme);
  ASSERT_EQ(scheme->proofs.size(), 1U);
  EXPECT_EQ(scheme->proofs[0].signature.prefix, "sha256=");
  EXPECT_TRUE(HasTimestamp(*scheme));
  EXPECT_FALSE(NeedsPublicUrl(*scheme));
  EXPECT_TRUE(scheme->event.id_signed);
}

TEST(SchemeToml, AnUnknownKeyIsAnsweredWithTheKnownOnes) {
  EXPECT_THAT(OnlyMistake(std::string(kAcme) + "algoritm = \"x\"\n"),
              HasSubstr("8:1 algoritm: unknown key; known here"));
  EXPECT_THAT(OnlyMistake(With("signature", "signature = { header = \"X\", colour = \"red\" }")),
              HasSubstr("signature.colour: unknown key"));
}

TEST(SchemeToml, AValueThatIsNoneOfTheAllowedNamesThem) {
  EXPECT_THAT(OnlyMistake(With("algorithm", "algorithm = \"md5\"")),
              HasSubstr("algorithm: \"md5\" is not one of hmac-sha256"));
  EXPECT_THAT(OnlyMistake(With("signature", "signature = { header = \"X\", encoding = \"b64\" }")),
              HasSubstr("signature.encoding: \"b64\" is not one of hex, base64, base64url"));
}

TEST(SchemeToml, ATemplateMistakeIsAtItsColumn) {
  // The template's text begins in column 14 of its line, and {bdy} at its 14th character.
  EXPECT_THAT(OnlyMistake(With("signed", "signed    = \"{timestamp}.{bdy}\"")),
              testing::StartsWith("5:27 signed: "));
}

TEST(SchemeToml, WhatIsMissingIsSaid) {
  EXPECT_THAT(OnlyMistake(With("signed", "")), HasSubstr("signed: is missing"));
  EXPECT_THAT(OnlyMistake(With("signature", "")), HasSubstr("signature: is missing"));
  EXPECT_THAT(OnlyMistake(With("algorithm", "")), HasSubstr("algorithm: is missing"));
  EXPECT_THAT(OnlyMistake(With("event_id", "")), HasSubstr("event_id: is missing"));
  EXPECT_THAT(Mistakes(With("timestamp", "")),
              testing::Contains(HasSubstr("uses {timestamp}, but there is no")));
}

TEST(SchemeToml, ATimestampOutsideTheSignatureIsRefused) {
  EXPECT_THAT(OnlyMistake(With("signed", "signed = \"{body}\"")),
              HasSubstr("timestamp: is not part of what is signed"));
}

TEST(SchemeToml, ABodyOutsideTheSignatureHasToBeSaid) {
  EXPECT_THAT(OnlyMistake(With("signed", "signed = \"{timestamp}\"")), HasSubstr("does not contain {body}"));
  EXPECT_TRUE(SchemeFrom(With("signed", "signed = \"{timestamp}\"\ncovers_body = false")));
}

TEST(SchemeToml, APlainHashNeedsTheSecretAndNothingElseTakesIt) {
  EXPECT_THAT(OnlyMistake(With("algorithm", "algorithm = \"sha256\"")),
              HasSubstr("does not contain {secret}"));
  EXPECT_THAT(OnlyMistake(With("signed", "signed = \"{timestamp}.{body}{secret}\"")),
              HasSubstr("contains {secret}"));
}

TEST(SchemeToml, ALocationIsExactlyOnePlace) {
  EXPECT_THAT(OnlyMistake(With("event_id", "event_id = { json = \"/id\", header = \"X-Id\" }")),
              HasSubstr("names more than one place"));
  EXPECT_THAT(OnlyMistake(With("event_id", "event_id = { }")), HasSubstr("names no place"));
  EXPECT_THAT(OnlyMistake(With("event_id", "event_id = \"/id\"")), HasSubstr("is not a table such as"));
  EXPECT_THAT(OnlyMistake(With("event_id", "event_id = { json = \"$.id\" }")), HasSubstr("JSON pointer"));
}

TEST(SchemeToml, EveryMistakeIsReportedNotOnlyTheFirst) {
  EXPECT_GE(Mistakes("algorithm = \"md5\"\nsignature = { header = 5 }\nsigned = \"{\"\n").size(), 4U);
}

TEST(SchemeToml, AnIdTheSignatureDoesNotCoverIsMarked) {
  EXPECT_FALSE(SchemeFrom(With("event_id", "event_id = { header = \"X-Id\" }"))->event.id_signed);
  EXPECT_TRUE(SchemeFrom(kAcme)->event.id_signed);
}

TEST(SchemeToml, WrongTypesAreMistakesNotCrashes) {
  for (const char* text :
       {"signature = 5", "proof = 1", "proof = [1]", "handshake = {}", "handshake = [[]]", "batch = 7",
        "key = []", "event_id = []", "event_id = { join = 5 }", "event_type = 7", "accepted = \"x\"",
        "parameters = { a = 1 }", "methods = \"BREW\"", "jwt = { algorithms = [] }", "list = 3",
        "timestamp = { header = 3, unit = 4 }", "content_types = [1]", "payload = []", "certificate = 1"}) {
    EXPECT_FALSE(Mistakes(text).empty()) << text;
  }
}

}  // namespace
}  // namespace weir::source
