#include "engine/admin/totals.h"

#include <gtest/gtest.h>

namespace weir::admin {
namespace {

TEST(HistogramTotals, HasNoQuantileBeforeTheFirstValue) {
  EXPECT_EQ(HistogramTotals{}.Quantile(0.5), 0);
}

TEST(HistogramTotals, PutsAQuantileIntoTheBucketThatHoldsIt) {
  observe::Histogram histogram;
  for (int i = 0; i < 98; ++i) histogram.Record(1000);  // [512, 1024)
  histogram.Record(70'000);                             // [65536, 131072)
  histogram.Record(70'000);
  HistogramTotals totals;
  totals.Add(histogram);
  EXPECT_GE(totals.Quantile(0.5), 512);
  EXPECT_LE(totals.Quantile(0.5), 1024);
  EXPECT_GE(totals.Quantile(0.99), 65536);
  EXPECT_LE(totals.Quantile(0.99), 131072);
}

TEST(Totals, AddUpShardsBySourceAndType) {
  observe::ShardProbe a;
  observe::ShardProbe b;
  a.connections.Set(3);
  b.connections.Set(4);
  a.ForSource("stripe").Received("invoice.paid");
  b.ForSource("stripe").Received("invoice.paid");
  b.ForSource("stripe").Received("charge.failed");
  b.ForSource("github").duplicates.Add(2);
  const ShardTotals totals = AddUp({&a, &b});
  EXPECT_EQ(totals.connections, 7);
  EXPECT_EQ(totals.sources.at("stripe").received, 3u);
  EXPECT_EQ(totals.sources.at("stripe").received_by_type.at("invoice.paid"), 2u);
  EXPECT_EQ(totals.sources.at("github").duplicates, 2u);
}

}  // namespace
}  // namespace weir::admin
