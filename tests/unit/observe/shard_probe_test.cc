#include "engine/observe/shard_probe.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "engine/observe/sink_probe.h"

namespace weir::observe {
namespace {

std::uint64_t CountOf(const SourceProbe& probe, std::string_view type) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < probe.type_count(); ++i) {
    if (probe.type(i).type == type) sum += probe.type(i).count.value();
  }
  return sum;
}

std::set<std::string> Types(const SourceProbe& probe) {
  std::set<std::string> types;
  for (std::size_t i = 0; i < probe.type_count(); ++i) types.insert(probe.type(i).type);
  return types;
}

TEST(SourceProbe, CountsEachTypeOnItsOwn) {
  SourceProbe probe;
  probe.Received("a");
  probe.Received("b");
  probe.Received("a");
  probe.Received("");
  EXPECT_EQ(probe.type_count(), 3u);
  EXPECT_EQ(CountOf(probe, "a"), 2u);
  EXPECT_EQ(CountOf(probe, "b"), 1u);
  EXPECT_EQ(CountOf(probe, ""), 1u);
}

TEST(SourceProbe, DoesNotKeepAViewOfTheSendersBytes) {
  SourceProbe probe;
  std::string type = "invoice.paid";
  probe.Received(type);
  type = "overwritten!";
  probe.Received("invoice.paid");
  EXPECT_EQ(probe.type_count(), 1u);
  EXPECT_EQ(CountOf(probe, "invoice.paid"), 2u);
}

TEST(SourceProbe, FoldsTypesPastTheCapIntoOther) {
  SourceProbe probe;
  for (int i = 0; i < 1000; ++i) probe.Received("type" + std::to_string(i));
  EXPECT_EQ(probe.type_count(), kTypesPerSource + 1);
  EXPECT_EQ(CountOf(probe, "other"), 1000 - kTypesPerSource);
  probe.Received("type0");
  EXPECT_EQ(CountOf(probe, "type0"), 2u);
}

TEST(SourceProbe, HasOneSeriesForOtherEvenWhenASenderUsesThatName) {
  SourceProbe probe;
  probe.Received("other");
  for (int i = 0; i < 100; ++i) probe.Received("type" + std::to_string(i));
  EXPECT_EQ(Types(probe).size(), probe.type_count());
  EXPECT_EQ(CountOf(probe, "other"), 1 + 100 - (kTypesPerSource - 1));
}

TEST(SourceProbe, RemembersTheLastRefusalWithEachCode) {
  SourceProbe probe;
  probe.Refused(RejectionCode::kTimeout, 7, 1'000);
  probe.Refused(RejectionCode::kTimeout, 8, 2'000);
  const auto timeout = static_cast<std::size_t>(RejectionCode::kTimeout);
  EXPECT_EQ(probe.rejected[timeout].value(), 2u);
  EXPECT_EQ(probe.last_refused[timeout].at_us.value(), 2'000);
  EXPECT_EQ(probe.last_refused[timeout].request_id.load(), 8u);
  EXPECT_EQ(probe.last_refused[0].at_us.value(), 0);
}

TEST(SourceProbe, CountsASecretByItsNameWhateverItsPlace) {
  SourceProbe probe;
  probe.ForSecret("2026-01").matched.Add();
  probe.ForSecret("env:NEW").matched.Add();
  probe.ForSecret("2026-01").matched.Add();
  ASSERT_EQ(probe.secret_count(), 2u);
  EXPECT_EQ(probe.secret(0).secret, "2026-01");
  EXPECT_EQ(probe.secret(0).matched.value(), 2u);
}

TEST(RequestId, IsSixteenDigitsWhateverItsValue) {
  const auto text = [](std::uint64_t id) {
    const auto digits = RequestIdText(id);
    return std::string(digits.data(), digits.size());
  };
  EXPECT_EQ(text(0), "0000000000000000");
  EXPECT_EQ(text(0x9f86d081884c7d65), "9f86d081884c7d65");
}

TEST(ShardProbe, FindsASourceAgainByName) {
  ShardProbe probe;
  probe.ForSource("stripe").duplicates.Add();
  probe.ForSource("github");
  probe.ForSource("stripe").duplicates.Add();
  ASSERT_EQ(probe.source_count(), 2u);
  EXPECT_EQ(probe.source(0).source, "stripe");
  EXPECT_EQ(probe.source(0).duplicates.value(), 2u);
}

TEST(ShardProbe, IsBoundedHoweverManyNamesReloadsBring) {
  ShardProbe probe;
  for (std::size_t i = 0; i < kSourcesMax + 10; ++i)
    probe.ForSource("s" + std::to_string(i)).handshakes.Add();
  EXPECT_EQ(probe.source_count(), kSourcesMax + 1);
  EXPECT_EQ(probe.source(kSourcesMax).source, "other");
  EXPECT_EQ(probe.source(kSourcesMax).handshakes.value(), 10u);
}

TEST(Names, AreGivenToEveryRejectionAndFailureOnce) {
  std::set<std::string_view> names;
  const auto codes = static_cast<std::size_t>(RejectionCode::kCount);
  for (std::size_t i = 0; i < codes; ++i) names.insert(RejectionCodeName(static_cast<RejectionCode>(i)));
  EXPECT_EQ(names.size(), codes);
  EXPECT_FALSE(names.contains(""));

  names.clear();
  const auto reasons = static_cast<std::size_t>(FailureReason::kCount);
  for (std::size_t i = 0; i < reasons; ++i) names.insert(FailureReasonName(static_cast<FailureReason>(i)));
  EXPECT_EQ(names.size(), reasons);
  EXPECT_FALSE(names.contains(""));
}

TEST(Histogram, PutsAValueBelowTheFirstPowerOfTwoAboveIt) {
  Histogram histogram;
  for (const std::uint64_t value : {0u, 1u, 2u, 3u, 4u}) histogram.Record(value);
  histogram.Record(UINT64_MAX);
  EXPECT_EQ(histogram.bucket(0), 1u);
  EXPECT_EQ(histogram.bucket(1), 1u);
  EXPECT_EQ(histogram.bucket(2), 2u);
  EXPECT_EQ(histogram.bucket(3), 1u);
  EXPECT_EQ(histogram.bucket(Histogram::kBuckets - 1), 1u);
}

}  // namespace
}  // namespace weir::observe
