#include "engine/sink/webhook_signer.h"

#include <gtest/gtest.h>

namespace weir::sink {
namespace {

constexpr std::string_view kSecret = "whsec_c3RhbmRhcmQtd2ViaG9va3MtdGVzdC1rZXktMzJieXRl";
constexpr std::string_view kId = "msg_p5jXN8AQM9LWM0D4loKWxJek";
constexpr std::string_view kBody = R"({"type":"contact.created","timestamp":"2026-01-01T00:00:00Z",)"
                                   R"("data":{"id":"c_1f81eb52-5198-4599-803e-771906343485","name":"ok"}})";

// Made by the npm package standardwebhooks 1.1.1.
TEST(WebhookSigner, AgreesWithTheReferenceLibrary) {
  auto signer = WebhookSigner::Create(kSecret);
  ASSERT_TRUE(signer) << signer.error();
  EXPECT_EQ(signer->Sign(kId, "1767225600", kBody), "v1,cZrbknlRYLkf8RibVIwrxO7JSZavnSUOw9Qa27kNPzo=");
}

TEST(WebhookSigner, SignsAgainWithTheSameKey) {
  auto signer = WebhookSigner::Create(kSecret);
  ASSERT_TRUE(signer);
  const std::string first = signer->Sign(kId, "1767225600", kBody);
  EXPECT_NE(signer->Sign(kId, "1767225601", kBody), first);
  EXPECT_EQ(signer->Sign(kId, "1767225600", kBody), first);
}

TEST(WebhookSigner, SecretWithoutThePrefixIsTheKeyItself) {
  auto raw = WebhookSigner::Create("standard-webhooks-test-key-32byte");
  auto encoded = WebhookSigner::Create("whsec_c3RhbmRhcmQtd2ViaG9va3MtdGVzdC1rZXktMzJieXRl");
  ASSERT_TRUE(raw && encoded);
  EXPECT_EQ(raw->Sign(kId, "1", kBody), encoded->Sign(kId, "1", kBody));
}

TEST(WebhookSigner, RefusesASecretThatCannotBeMeant) {
  for (const std::string_view secret :
       {"", "whsec_", "whsec_!!!!", "whsec_YWJj\n", "whsec_YWJ", "whsec_YW=j", "whsec_YQ=", " whsec_"}) {
    const bool taken = WebhookSigner::Create(secret).has_value();
    EXPECT_EQ(taken, secret == " whsec_") << secret;
  }
}

TEST(WebhookSigner, ErrorDoesNotShowTheSecret) {
  const auto refused = WebhookSigner::Create("whsec_topsecret!");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().find("topsecret"), std::string::npos);
}

}  // namespace
}  // namespace weir::sink
