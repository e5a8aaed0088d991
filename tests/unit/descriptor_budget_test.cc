#include "engine/descriptor_budget.h"

#include <gtest/gtest.h>

namespace weir {
namespace {

DescriptorShape Usual() {
  return {.threads = 1,
          .listen_addresses = 1,
          .admin_listeners = 2,
          .connections = 10'000,
          .file_sinks = 1,
          .http_sinks = {64, 64}};
}

std::size_t Sum(const DescriptorBudget& budget) {
  return budget.reserved + budget.store_files + budget.connections + budget.refusals +
         budget.sink_connections();
}

TEST(DescriptorBudget, WithEnoughEverybodyGetsWhatWasConfigured) {
  const auto budget = BudgetDescriptors(1 << 20, Usual());
  ASSERT_TRUE(budget);
  EXPECT_EQ(budget->connections, 10'000u);
  EXPECT_EQ(budget->refusals, 64u);
  EXPECT_EQ(budget->store_files, 1024u);
  EXPECT_EQ(budget->http_sinks, (std::vector<std::size_t>{64, 64}));
}

TEST(DescriptorBudget, NeverGivesOutMoreThanThereAre) {
  for (std::size_t limit = 1; limit < 20'000; limit += 7) {
    const auto budget = BudgetDescriptors(limit, Usual());
    if (!budget) continue;
    EXPECT_LE(Sum(*budget), limit);
    EXPECT_GE(budget->connections, 1u);
    EXPECT_GE(budget->store_files, 20u);
    for (const std::size_t connections : budget->http_sinks) EXPECT_GE(connections, 1u);
  }
}

TEST(DescriptorBudget, AHigherLimitTakesNothingFromAnybody) {
  auto before = BudgetDescriptors(250, Usual());
  ASSERT_TRUE(before);
  for (std::size_t limit = 251; limit < 15'000; ++limit) {
    const auto budget = BudgetDescriptors(limit, Usual());
    ASSERT_TRUE(budget);
    EXPECT_GE(budget->connections + budget->refusals + 1, before->connections + before->refusals) << limit;
    EXPECT_GE(budget->store_files, before->store_files) << limit;
    before = budget;
  }
}

TEST(DescriptorBudget, TheUsualLimitLeavesConnectionsToSendersAndFilesToTheStore) {
  const auto budget = BudgetDescriptors(1024, Usual());
  ASSERT_TRUE(budget);
  EXPECT_GT(budget->connections, 300u);
  EXPECT_GE(budget->store_files, 150u);
  EXPECT_EQ(budget->http_sinks, (std::vector<std::size_t>{64, 64}));
}

TEST(DescriptorBudget, TooFewAreRefusedWithTheNumberThatIsNeeded) {
  const auto refused = BudgetDescriptors(20, Usual());
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().find("may open 20 descriptors"), std::string::npos) << refused.error();
  const std::string least = refused.error().substr(refused.error().find("needs ") + 6);
  EXPECT_FALSE(BudgetDescriptors(std::stoul(least) - 1, Usual()));
  EXPECT_TRUE(BudgetDescriptors(std::stoul(least), Usual()));
}

TEST(DescriptorBudget, ManySinksShareWhatThereIsEvenly) {
  DescriptorShape shape = Usual();
  shape.http_sinks = {4096, 4, 4096};
  const auto budget = BudgetDescriptors(1024, shape);
  ASSERT_TRUE(budget);
  EXPECT_EQ(budget->http_sinks[1], 4u);
  EXPECT_EQ(budget->http_sinks[0], budget->http_sinks[2]);
  EXPECT_GT(budget->http_sinks[0], 4u);
}

TEST(DescriptorBudget, ASinkIsLoweredToItsShareAndSaysSo) {
  config::Config config;
  config.sinks.resize(2);
  config.sinks[0].name = "archive";
  config.sinks[0].kind = config::SinkKind::kFile;
  config.sinks[1].name = "billing";
  config.sinks[1].kind = config::SinkKind::kHttp;
  config.sinks[1].concurrency = 64;
  const auto lowered = CapSinks(config, {.http_sinks = {5}});
  EXPECT_EQ(config.sinks[1].concurrency, 5u);
  ASSERT_EQ(lowered.size(), 1u);
  EXPECT_NE(lowered[0].find("\"billing\" has descriptors for 5 of its 64"), std::string::npos) << lowered[0];
}

}  // namespace
}  // namespace weir
