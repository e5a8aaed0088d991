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
  EXPECT_FALSE(FindKind("github")->scheme->event.id_signed);
  EXPECT_TRUE(FindKind("svix")->scheme->event.id_signed);
  EXPECT_TRUE(FindKind("stripe")->scheme->event.id_signed);
}

}  // namespace
}  // namespace weir::source
