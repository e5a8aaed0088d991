#include "engine/source/signer.h"

#include <gtest/gtest.h>

#include "engine/source/scheme.h"
#include "tests/unit/source/support.h"

namespace weir::source {
namespace {

// A secret of the form each kind's secrets have.
std::string SecretFor(const Kind& kind) {
  const KeyFormat& key = kind.scheme->proofs.front().key;
  const std::string prefix = key.only_prefix.empty() ? key.strip_prefix : key.only_prefix;
  switch (key.text) {
    case KeyText::kBase64:
      return prefix + "c3RhbmRhcmQtd2ViaG9va3MtdGVzdC1rZXktMzJieXRl";
    case KeyText::kHex:
      return prefix + "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
    case KeyText::kUtf8:
    case KeyText::kPem:
    case KeyText::kJwk:
      break;
  }
  return prefix + "a-secret-of-some-length";
}

class SignerOfKind : public testing::TestWithParam<std::string> {};

TEST_P(SignerOfKind, WhatItSignsIsAcceptedWithItsIdAndType) {
  const Kind& kind = *FindKind(GetParam());
  Source source = SourceOf(kind.scheme, {SecretFor(kind)});
  const std::string body = SampleBody(*kind.scheme, "evt_42", kind.scheme->sample_type, kNowS, 800);
  EXPECT_GE(body.size(), 800U);
  OwnedRequest request = Signed(source, body, kNowS, "evt_42", kind.scheme->sample_type);
  ASSERT_FALSE(request.headers.empty());
  Verifier verifier(1);
  const Verdict verdict = verifier.Verify(source, request.View(), kNowUs);
  ASSERT_EQ(AnswerOf(verdict), "accepted");
  const auto& events = *std::get<Accepted>(verdict).events;
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events.front().malformed, "");
  if (!kind.scheme->event.id.empty()) {
    EXPECT_EQ(events.front().id, "evt_42");
  }
  EXPECT_EQ(events.front().type, kind.scheme->sample_type);
}

INSTANTIATE_TEST_SUITE_P(Symmetric, SignerOfKind,
                         testing::Values("stripe", "github", "shopify", "slack", "standard-webhooks", "svix",
                                         "gitlab", "twilio"),
                         [](const auto& kind) {
                           std::string name = kind.param;
                           std::erase(name, '-');
                           return name;
                         });

}  // namespace
}  // namespace weir::source
