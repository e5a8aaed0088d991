#include "engine/source/forwarding.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "engine/source/kinds.h"
#include "engine/source/scheme.h"
#include "engine/text/glob.h"

namespace weir::source {
namespace {

TEST(Forwarding, CredentialsAndSignaturesNeverLeave) {
  for (const char* name : {"Authorization",
                           "Proxy-Authorization",
                           "Cookie",
                           "Set-Cookie",
                           "X-Hub-Signature-256",
                           "X-Hub-Signature",
                           "Stripe-Signature",
                           "HmacSignature",
                           "X-Shopify-Hmac-Sha256",
                           "X-Gitlab-Token",
                           "X-Webhook-Token",
                           "X-Goog-Channel-Token",
                           "X-Amz-Security-Token",
                           "X-Api-Key",
                           "X-ApiKey",
                           "Ocp-Apim-Subscription-Key",
                           "X-Functions-Key",
                           "X-Hook-Secret",
                           "X-Client-Secret",
                           "X-Password",
                           "Api_Key",
                           "X-Private-Key",
                           "X-Webhook-Key",
                           "X-Sign",
                           "X-Pass",
                           "X-Amzn-Oidc-Data",
                           "DPoP",
                           "X_Access_Key",
                           "X-Auth",
                           "X-Auth-Key",
                           "PayPal-Transmission-Sig",
                           "X-JWT-Assertion",
                           "WWW-Authenticate",
                           "Signature-Input",
                           "x-csrf-token",
                           "X-Session-Id",
                           "dpop"}) {
    EXPECT_EQ(ForwardingOf(name), Forwarding::kCredential) << name;
  }
}

TEST(Forwarding, FieldsOfTheMessageStayWithTheMessage) {
  for (const char* name : {"Host", "Content-Length", "Content-Type", "Transfer-Encoding", "Connection", "TE",
                           "Trailer", "Upgrade", "Expect", "Keep-Alive", "User-Agent", "traceparent"}) {
    EXPECT_EQ(ForwardingOf(name), Forwarding::kMessage) << name;
  }
}

TEST(Forwarding, WhatSaysSomethingOfTheEventMayLeave) {
  for (const char* name : {"X-Shopify-Shop-Domain", "X-GitHub-Hook-ID", "ce-subject",
                           "I-Twilio-Idempotency-Token", "Idempotency-Key", "X-Event-Key", "X-Author",
                           "X-Slack-Retry-Num", "aeg-delivery-count", "X-Design-Id", "tracestate"}) {
    EXPECT_EQ(ForwardingOf(name), Forwarding::kAllowed) << name;
  }
}

// A list that names what never leaves promises something that is not kept.
TEST(Forwarding, EveryKindsListNamesWhatMayLeave) {
  for (const Kind& kind : Kinds()) {
    for (const std::string& pattern : kind.scheme->forward_headers) {
      EXPECT_TRUE(std::ranges::none_of(pattern, [](char c) { return c >= 'A' && c <= 'Z'; })) << kind.name;
      if (pattern.contains('*')) continue;
      EXPECT_EQ(ForwardingOf(pattern), Forwarding::kAllowed) << kind.name;
    }
  }
}

TEST(Forwarding, EveryKindsProofFieldsAreKnown) {
  for (const Kind& kind : Kinds()) {
    const auto fields = ProofFields(*kind.scheme);
    for (const Proof& proof : kind.scheme->proofs) {
      for (const Location& at : proof.signature.first_of) {
        if (at.from != Location::From::kHeader) continue;
        EXPECT_NE(std::ranges::find(fields, at.name), fields.end()) << kind.name << " " << at.name;
      }
    }
  }
}

}  // namespace
}  // namespace weir::source
