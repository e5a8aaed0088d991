#include "engine/source/kinds.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "engine/source/scheme.h"

namespace weir::source {
namespace {

TEST(Kinds, AllOfThemCompileAndAreSorted) {
  const auto kinds = Kinds();
  EXPECT_GE(kinds.size(), 60U);
  EXPECT_TRUE(std::ranges::is_sorted(kinds, {}, &Kind::name));
}

TEST(Kinds, AreFoundByNameAndByAlias) {
  EXPECT_EQ(FindKind("stripe")->title, "Stripe");
  EXPECT_EQ(FindKind("whatsapp"), FindKind("meta"));
  EXPECT_EQ(FindKind("nobody"), nullptr);
  EXPECT_EQ(FindKind("custom"), nullptr);
}

TEST(Kinds, NoNameOrAliasIsTakenTwice) {
  std::vector<std::string> names;
  for (const Kind& kind : Kinds()) {
    names.push_back(kind.name);
    for (const std::string& alias : kind.scheme->about.aliases) names.push_back(alias);
  }
  std::ranges::sort(names);
  EXPECT_EQ(std::ranges::adjacent_find(names), names.end());
}

TEST(Kinds, EveryKindSaysWhereItIsDocumentedAndHowItsSenderBehaves) {
  for (const Kind& kind : Kinds()) {
    EXPECT_NE(kind.title, "") << kind.name;
    EXPECT_NE(kind.scheme->about.documentation, "") << kind.name;
    EXPECT_NE(kind.scheme->about.timeout, "") << kind.name;
    EXPECT_NE(kind.scheme->about.retries, "") << kind.name;
  }
}

TEST(Kinds, WhatIsUnknownOfASenderIsListedAsUnverified) {
  for (const Kind& kind : Kinds()) {
    const SchemeNotes& about = kind.scheme->about;
    std::string unverified;
    for (const std::string& note : about.unverified) unverified += note + "\n";
    if (about.timeout.starts_with("unknown")) {
      EXPECT_THAT(unverified, testing::HasSubstr("timeout")) << kind.name;
    }
    if (about.retries.starts_with("unknown")) {
      EXPECT_THAT(unverified, testing::HasSubstr("retries")) << kind.name;
    }
  }
}

TEST(Kinds, TheSendersThatArePromisedAreThere) {
  for (const char* name : {"stripe",
                           "github",
                           "gitlab",
                           "bitbucket",
                           "shopify",
                           "slack",
                           "twilio",
                           "square",
                           "paypal",
                           "svix",
                           "standard-webhooks",
                           "sendgrid",
                           "discord",
                           "discord-events",
                           "paddle",
                           "mailgun",
                           "zoom",
                           "linear",
                           "intercom",
                           "hubspot",
                           "twitch",
                           "adyen",
                           "plaid",
                           "docusign",
                           "dropbox",
                           "typeform",
                           "zendesk",
                           "calendly",
                           "line",
                           "meta",
                           "whatsapp",
                           "teams",
                           "asana",
                           "razorpay",
                           "woocommerce",
                           "okta",
                           "sns",
                           "circleci",
                           "vercel",
                           "sentry",
                           "pagerduty",
                           "openai",
                           "clerk",
                           "resend",
                           "box",
                           "telnyx",
                           "mux",
                           "notion",
                           "workos",
                           "xero",
                           "quickbooks",
                           "jira",
                           "event-grid",
                           "cloudevents",
                           "coinbase",
                           "gocardless",
                           "sanity",
                           "livekit",
                           "easypost",
                           "polar",
                           "lithic",
                           "replicate"}) {
    EXPECT_NE(FindKind(name), nullptr) << name;
  }
}

TEST(Kinds, EveryContractSaysWhatAnOperatorAsks) {
  for (const Kind& kind : Kinds()) {
    const std::string text = DescribeKind(kind);
    for (const char* line :
         {"\n  algorithm", "\n  signature", "\n  key", "\n  signed", "\n  event id", "\n  event type",
          "\n  methods", "\n  bad signature", "\n  timeout", "\n  retries", "\n  documented at"}) {
      EXPECT_THAT(text, testing::HasSubstr(line)) << kind.name;
    }
  }
}

TEST(Kinds, AKindDescribesItsWholeContract) {
  const std::string text = DescribeKind(*FindKind("stripe"));
  for (const char* part : {"Stripe", "hmac-sha256", "stripe-signature", "{timestamp}.{body}", "json /id",
                           "json /type", "300 s", "whsec_", "unverified"}) {
    EXPECT_THAT(text, testing::HasSubstr(part));
  }
}

TEST(Kinds, WhatTheSignatureDoesNotCoverIsSaid) {
  EXPECT_THAT(DescribeKind(*FindKind("github")), testing::HasSubstr("header x-github-delivery  (unsigned)"));
  EXPECT_THAT(DescribeKind(*FindKind("mailgun")), testing::HasSubstr("not covered by the signature"));
  EXPECT_THAT(DescribeKind(*FindKind("github")),
              testing::HasSubstr("id and type are not covered by the signature"));
  EXPECT_FALSE(FindKind("github")->scheme->event.id_signed);
  EXPECT_TRUE(FindKind("svix")->scheme->event.id_signed);
  EXPECT_TRUE(FindKind("stripe")->scheme->event.id_signed);
}

}  // namespace
}  // namespace weir::source
