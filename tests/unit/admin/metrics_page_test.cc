#include "engine/admin/metrics_page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace weir::admin {
namespace {

using testing::HasSubstr;
using testing::Not;

class MetricsPageTest : public testing::Test {
 protected:
  MetricsPageTest() {
    sink_.sink = "billing";
    facts_.statistics.disk.store_bytes = 4096;
    facts_.statistics.last_sequence = 42;
    facts_.statistics.disk.free_bytes = 1'000'000;
    facts_.ingest_dead_letters = 3;
  }

  std::string Page(std::int64_t now_us = 1'000'000'000) {
    const Live live{.shards = {&shards_[0], &shards_[1]},
                    .commit = commit_,
                    .retention = retention_,
                    .appends = appends_,
                    .gate = gate_,
                    .visit_sinks = [this](const auto& visit) { visit(sink_); },
                    .submit = nullptr,
                    .min_free_disk_bytes = 0,
                    .ring_mode = "defer_taskrun",
                    .started_at_us = 5'000'000};
    return MetricsPage(live, facts_, {.cpu_seconds = 1.5, .resident_bytes = 8192, .open_descriptors = 12},
                       now_us);
  }

  observe::ShardProbe shards_[2];
  observe::CommitProbe commit_;
  observe::RetentionProbe retention_;
  observe::SinkProbe sink_;
  commit::AppendQueue appends_;
  ingest::Gate gate_;
  StoreFacts facts_;
};

TEST_F(MetricsPageTest, CountsEventsBySourceAndTypeOverAllShards) {
  shards_[0].ForSource("stripe").Received("invoice.paid");
  shards_[1].ForSource("stripe").Received("invoice.paid");
  shards_[1].ForSource("stripe").duplicates.Add(4);
  const std::string page = Page();
  EXPECT_THAT(page, HasSubstr("webhook_received_total{source=\"stripe\",type=\"invoice.paid\"} 2\n"));
  EXPECT_THAT(page, HasSubstr("webhook_duplicate_total{source=\"stripe\"} 4\n"));
}

TEST_F(MetricsPageTest, KeepsASendersTypeFromBreakingThePage) {
  shards_[0].ForSource("acme").Received("a\"b\\\n\xff");
  shards_[1].ForSource("acme").Received("a\"b\\\n\xfe");
  EXPECT_THAT(Page(), HasSubstr("webhook_received_total{source=\"acme\",type=\"a\\\"b\\\\??\"} 2\n"));
}

TEST_F(MetricsPageTest, ShowsNanosecondsAsCumulativeSecondBuckets) {
  commit_.sync_ns.Record(1'000'000);      // below 2^20 ns
  commit_.sync_ns.Record(3'000'000'000);  // below 2^32 ns
  const std::string page = Page();
  EXPECT_THAT(page, HasSubstr("weir_commit_sync_seconds_bucket{le=\"0.000524288\"} 0\n"));
  EXPECT_THAT(page, HasSubstr("weir_commit_sync_seconds_bucket{le=\"0.001048576\"} 1\n"));
  EXPECT_THAT(page, HasSubstr("weir_commit_sync_seconds_bucket{le=\"4.294967296\"} 2\n"));
  EXPECT_THAT(page, HasSubstr("weir_commit_sync_seconds_bucket{le=\"+Inf\"} 2\n"));
  EXPECT_THAT(page, HasSubstr("weir_commit_sync_seconds_count 2\n"));
  EXPECT_THAT(page, HasSubstr("weir_commit_sync_seconds_sum 3.001\n"));
}

TEST_F(MetricsPageTest, CountsAValuePastTheLastBucketInInfinityOnly) {
  commit_.sync_ns.Record(std::uint64_t{1} << 38);
  const std::string page = Page();
  EXPECT_THAT(page, HasSubstr("weir_commit_sync_seconds_bucket{le=\"68.719476736\"} 0\n"));
  EXPECT_THAT(page, HasSubstr("weir_commit_sync_seconds_bucket{le=\"+Inf\"} 1\n"));
}

TEST_F(MetricsPageTest, ShowsBatchSizesWithWholeNumberBounds) {
  commit_.batch_events.Record(1);
  commit_.batch_events.Record(3);
  const std::string page = Page();
  EXPECT_THAT(page, HasSubstr("weir_commit_batch_events_bucket{le=\"1\"} 1\n"));
  EXPECT_THAT(page, HasSubstr("weir_commit_batch_events_bucket{le=\"3\"} 2\n"));
}

TEST_F(MetricsPageTest, SeparatesSignatureFailuresFromOtherRejections) {
  auto& source = shards_[0].ForSource("stripe");
  source.rejected[static_cast<std::size_t>(observe::RejectionCode::kInvalidSignature)].Add(7);
  source.rejected[static_cast<std::size_t>(observe::RejectionCode::kBodyTooLarge)].Add(2);
  shards_[0].ForSource("").rejected[static_cast<std::size_t>(observe::RejectionCode::kUnknownSource)].Add(1);
  const std::string page = Page();
  EXPECT_THAT(
      page,
      HasSubstr("webhook_signature_failures_total{source=\"stripe\",reason=\"invalid_signature\"} 7\n"));
  EXPECT_THAT(
      page, HasSubstr("webhook_signature_failures_total{source=\"stripe\",reason=\"stale_timestamp\"} 0\n"));
  EXPECT_THAT(page, HasSubstr("webhook_rejected_total{source=\"stripe\",code=\"invalid_signature\"} 7\n"));
  EXPECT_THAT(page, HasSubstr("webhook_rejected_total{source=\"stripe\",code=\"body_too_large\"} 2\n"));
  EXPECT_THAT(page, HasSubstr("webhook_rejected_total{source=\"\",code=\"unknown_source\"} 1\n"));
  EXPECT_THAT(
      page, Not(HasSubstr("webhook_signature_failures_total{source=\"stripe\",reason=\"body_too_large\"}")));
}

// An alert on a rate, or on silence, needs the series before anything has happened.
TEST_F(MetricsPageTest, HasEverySeriesOfASourceFromTheStart) {
  shards_[0].ForSource("stripe").ForSecret("2026-01");
  const std::string page = Page();
  for (const char* series :
       {"webhook_received_total{source=\"stripe\",type=\"\"}",
        "webhook_received_duration_seconds_count{source=\"stripe\"}",
        "webhook_duplicate_total{source=\"stripe\"}", "webhook_handshake_total{source=\"stripe\"}",
        "webhook_secret_matched_total{source=\"stripe\",secret=\"2026-01\"}",
        "webhook_secret_last_matched_timestamp_seconds{source=\"stripe\",secret=\"2026-01\"}",
        "webhook_last_received_timestamp_seconds{source=\"stripe\"}",
        "webhook_failed_total{sink=\"billing\",reason=\"timeout\"}",
        "webhook_processed_total{sink=\"billing\"}"}) {
    EXPECT_THAT(page, HasSubstr(std::string(series) + " 0\n"));
  }
  for (std::size_t i = 0; i < static_cast<std::size_t>(observe::RejectionCode::kCount); ++i) {
    const std::string code(observe::RejectionCodeName(static_cast<observe::RejectionCode>(i)));
    EXPECT_THAT(page, HasSubstr("webhook_rejected_total{source=\"stripe\",code=\"" + code + "\"} 0\n"));
    EXPECT_THAT(page, HasSubstr("webhook_last_refused_timestamp_seconds{source=\"stripe\",code=\"" + code +
                                "\"} 0\n"));
  }
}

TEST_F(MetricsPageTest, SaysWhenASourceLastReceivedAndRefused) {
  auto& source = shards_[0].ForSource("stripe");
  source.last_received_us.Set(1'700'000'000'500'000);
  source.Refused(observe::RejectionCode::kStaleTimestamp, 1, 1'700'000'001'000'000);
  const std::string page = Page();
  EXPECT_THAT(page, HasSubstr("webhook_last_received_timestamp_seconds{source=\"stripe\"} 1700000000.5\n"));
  EXPECT_THAT(page,
              HasSubstr("webhook_last_refused_timestamp_seconds{source=\"stripe\",code=\"stale_timestamp\"} "
                        "1700000001\n"));
}

TEST_F(MetricsPageTest, NamesTheSecretThatMatched) {
  shards_[0].ForSource("stripe").ForSecret("2026-01").matched.Add(5);
  EXPECT_THAT(Page(), HasSubstr("webhook_secret_matched_total{source=\"stripe\",secret=\"2026-01\"} 5\n"));
}

TEST_F(MetricsPageTest, AgesTheOldestPendingEvent) {
  sink_.oldest_pending_us.Set(997'500'000);
  EXPECT_THAT(Page(1'000'000'000), HasSubstr("webhook_oldest_pending_seconds{sink=\"billing\"} 2.5\n"));
  sink_.oldest_pending_us.Set(0);
  EXPECT_THAT(Page(1'000'000'000), HasSubstr("webhook_oldest_pending_seconds{sink=\"billing\"} 0\n"));
}

TEST_F(MetricsPageTest, ShowsDeadLettersOfEverySinkAndOfIngest) {
  sink_.dead_letters.Set(9);
  const std::string page = Page();
  EXPECT_THAT(page, HasSubstr("webhook_dlq_size{sink=\"billing\"} 9\n"));
  EXPECT_THAT(page, HasSubstr("webhook_dlq_size{sink=\"-\"} 3\n"));
}

TEST_F(MetricsPageTest, ShowsWhatRetentionForgotAndWhatHoldsItUp) {
  retention_.forgotten.Add(7);
  retention_.held.Set(3);
  retention_.errors.Add(2);
  const std::string page = Page();
  EXPECT_THAT(page, HasSubstr("weir_retention_forgotten_total 7\n"));
  EXPECT_THAT(page, HasSubstr("weir_retention_held_events 3\n"));
  EXPECT_THAT(page, HasSubstr("weir_retention_errors_total 2\n"));
}

// The names users write alerts against.
TEST_F(MetricsPageTest, HasEveryNameOfTheInterface) {
  const std::string page = Page();
  for (const char* family : {"webhook_received_total counter",
                             "webhook_received_duration_seconds histogram",
                             "webhook_duplicate_total counter",
                             "webhook_signature_failures_total counter",
                             "webhook_rejected_total counter",
                             "webhook_processed_total counter",
                             "webhook_failed_total counter",
                             "webhook_processing_duration_seconds histogram",
                             "webhook_queue_depth gauge",
                             "webhook_oldest_pending_seconds gauge",
                             "webhook_retry_queue_size gauge",
                             "webhook_dlq_size gauge",
                             "webhook_secret_matched_total counter",
                             "webhook_secret_last_matched_timestamp_seconds gauge",
                             "webhook_last_received_timestamp_seconds gauge",
                             "webhook_last_refused_timestamp_seconds gauge",
                             "weir_commit_batch_events histogram",
                             "weir_commit_sync_seconds histogram",
                             "weir_commit_wait_seconds histogram",
                             "weir_connections gauge",
                             "weir_inflight_bytes gauge",
                             "weir_store_bytes gauge",
                             "weir_wal_segments_ready gauge",
                             "weir_wal_segments_total counter",
                             "weir_wal_room_taken gauge",
                             "weir_disk_free_bytes gauge",
                             "weir_build_info gauge"}) {
    EXPECT_THAT(page, HasSubstr("# TYPE " + std::string(family) + "\n"));
  }
  EXPECT_THAT(page, HasSubstr("weir_build_info{version=\"" WEIR_VERSION "\",ring=\"defer_taskrun\"} 1\n"));
}

TEST_F(MetricsPageTest, PassesPromtool) {
  auto& source = shards_[0].ForSource("stripe");
  source.Received("invoice.paid");
  source.Received("");
  source.duration_ns.Record(120'000);
  source.rejected[0].Add(1);
  source.ForSecret("a").matched.Add(2);
  sink_.attempt_ns.Record(5'000'000);
  const auto path = std::filesystem::temp_directory_path() / ("weir_metrics_" + std::to_string(::getpid()));
  std::ofstream(path) << Page();
  const auto said = path.string() + ".said";
  const std::string command = "promtool check metrics < " + path.string() + " > " + said + " 2>&1";
  const int status =
      std::system(command.c_str());  // NOLINT(concurrency-mt-unsafe,bugprone-command-processor,cert-env33-c)
  std::ostringstream complaints;
  complaints << std::ifstream(said).rdbuf();
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << complaints.str();
  EXPECT_EQ(complaints.str(), "");
  std::filesystem::remove(path);
  std::filesystem::remove(said);
}

}  // namespace
}  // namespace weir::admin
