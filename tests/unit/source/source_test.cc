#include "engine/source/source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/source/scheme.h"
#include "tests/unit/source/support.h"

namespace weir::source {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(Problems, AUsableSourceHasNone) {
  EXPECT_THAT(ProblemsOf(SourceOf("stripe", {"whsec_x"})), IsEmpty());
}

TEST(Problems, ASourceWithoutSecretsVerifiesNobody) {
  EXPECT_THAT(ProblemsOf(SourceOf("stripe", {})), Contains(HasSubstr("nobody can be verified")));
  EXPECT_THAT(ProblemsOf(SourceOf("asana", {})), IsEmpty());
}

TEST(Problems, EmptyAndUndecodableSecretsAreNamedByPosition) {
  EXPECT_THAT(ProblemsOf(SourceOf("stripe", {"ok", ""})), Contains("secrets[1] is empty"));
  EXPECT_THAT(ProblemsOf(SourceOf("svix", {"whsec_"})), Contains("secrets[0] is empty"));
  EXPECT_THAT(ProblemsOf(SourceOf("svix", {"whsec_!!"})),
              Contains("secrets[0] is not base64 after \"whsec_\""));
  EXPECT_THAT(ProblemsOf(SourceOf("adyen", {"xyz"})), Contains("secrets[0] is not hexadecimal"));
}

TEST(Problems, ASecretIsNeverPartOfTheMessage) {
  for (const std::string& problem : ProblemsOf(SourceOf("svix", {"whsec_TOPSECRET!!"}))) {
    EXPECT_EQ(problem.find("TOPSECRET"), std::string::npos);
  }
}

TEST(Problems, WhatAContractNeedsBesidesSecretsIsAskedFor) {
  EXPECT_THAT(ProblemsOf(SourceOf("livekit", {"s"})), Contains(HasSubstr("parameters.api_key is missing")));
  Source square = SourceOf("square", {"s"});
  square.public_url.clear();
  EXPECT_THAT(ProblemsOf(square), Contains(HasSubstr("public_url is missing")));
  Source odd = SourceOf("stripe", {"s"});
  odd.parameters = {{"webhook_id", "x"}};
  EXPECT_THAT(ProblemsOf(odd), Contains(HasSubstr("parameters.webhook_id is unknown")));
  Source github = SourceOf("github", {"s"});
  github.tolerance_s = 60;
  EXPECT_THAT(ProblemsOf(github), Contains(HasSubstr("tolerance means nothing")));
}

TEST(SourceTable, FindsSourcesByNameAndNumbersThem) {
  std::vector<Source> sources;
  for (const char* name : {"b", "a", "c"}) {
    sources.push_back(SourceOf("stripe", {"s"}));
    sources.back().name = name;
  }
  const SourceTable table(std::move(sources));
  EXPECT_EQ(table.Find("a")->index, 1U);
  EXPECT_EQ(table.Find("c")->index, 2U);
  EXPECT_EQ(table.Find("d"), nullptr);
  EXPECT_EQ(table.Find(""), nullptr);
}

TEST(SourceTable, EpochsAreNeverReused) {
  const auto epoch = [] {
    std::vector<Source> sources;
    sources.push_back(SourceOf("stripe", {"s"}));
    return SourceTable(std::move(sources)).sources().front().secrets_epoch;
  };
  const std::uint64_t first = epoch();
  EXPECT_NE(first, 0U);
  EXPECT_GT(epoch(), first);
}

}  // namespace
}  // namespace weir::source
