#include "engine/admin/metrics_page.h"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <cmath>
#include <map>
#include <sstream>
#include <utility>
#include <vector>

#include "engine/admin/printable.h"
#include "engine/admin/totals.h"
#include "engine/observe/log.h"

namespace weir::admin {

namespace {

using Labels = std::vector<prometheus::ClientMetric::Label>;

// Histograms of time show the buckets from 2^10 ns (1 µs) to 2^36 ns (69 s); histograms of counts those up to
// 2^13.
constexpr std::size_t kFirstTimeBucket = 10;
constexpr std::size_t kLastTimeBucket = 36;
constexpr std::size_t kLastCountBucket = 13;

class Page {
 public:
  // Starts a family; the samples that follow belong to it.
  void Counter(const char* name, const char* help) { Start(name, help, prometheus::MetricType::Counter); }
  void Gauge(const char* name, const char* help) { Start(name, help, prometheus::MetricType::Gauge); }
  void Histogram(const char* name, const char* help) { Start(name, help, prometheus::MetricType::Histogram); }

  template <typename Number>
  void Sample(Labels labels, Number value) {
    prometheus::ClientMetric& metric = Add(std::move(labels));
    metric.counter.value = static_cast<double>(value);
    metric.gauge.value = static_cast<double>(value);
  }

  // Nanoseconds become seconds. Bucket i holds values below 2^i.
  void Seconds(Labels labels, const HistogramTotals& totals) {
    auto& histogram = Add(std::move(labels)).histogram;
    histogram.sample_count = totals.count;
    histogram.sample_sum = static_cast<double>(totals.sum) / 1e9;
    std::uint64_t cumulative = 0;
    for (std::size_t i = 0; i <= kLastTimeBucket; ++i) {
      cumulative += totals.buckets[i];
      if (i < kFirstTimeBucket) continue;
      histogram.bucket.push_back({cumulative, std::ldexp(1.0, static_cast<int>(i)) / 1e9});
    }
  }

  // Whole numbers: bucket i holds values up to 2^i - 1.
  void Counts(const HistogramTotals& totals) {
    auto& histogram = Add({}).histogram;
    histogram.sample_count = totals.count;
    histogram.sample_sum = static_cast<double>(totals.sum);
    std::uint64_t cumulative = 0;
    for (std::size_t i = 0; i <= kLastCountBucket; ++i) {
      cumulative += totals.buckets[i];
      if (i > 0) histogram.bucket.push_back({cumulative, std::ldexp(1.0, static_cast<int>(i)) - 1});
    }
  }

  std::string Text() const {
    std::ostringstream text;
    prometheus::TextSerializer().Serialize(text, families_);
    return std::move(text).str();
  }

 private:
  void Start(const char* name, const char* help, prometheus::MetricType type) {
    families_.push_back({name, help, type, {}});
  }
  prometheus::ClientMetric& Add(Labels labels) {
    prometheus::ClientMetric& metric = families_.back().metric.emplace_back();
    metric.label = std::move(labels);
    return metric;
  }

  std::vector<prometheus::MetricFamily> families_;
};

bool IsSignatureFailure(observe::RejectionCode code) {
  using enum observe::RejectionCode;
  return code == kMissingSignature || code == kMalformedSignature || code == kInvalidSignature ||
         code == kStaleTimestamp || code == kKeyUnavailable;
}

// Samples a counter for every rejection that `take` wants, also those that never happened: an alert on a rate
// needs the zero before the first one.
template <typename Take>
void Rejections(Page& page, const std::map<std::string, SourceTotals>& sources, const char* label,
                Take take) {
  for (const auto& [source, totals] : sources) {
    for (std::size_t i = 0; i < totals.rejected.size(); ++i) {
      const auto code = static_cast<observe::RejectionCode>(i);
      if (!take(code)) continue;
      page.Sample({{"source", source}, {label, std::string(observe::RejectionCodeName(code))}},
                  totals.rejected[i]);
    }
  }
}

double UnixSeconds(std::int64_t unix_us) {
  return static_cast<double>(unix_us) / 1e6;
}

void ReceivedByType(Page& page, const std::string& source, const SourceTotals& totals) {
  // Types that look alike once printable are one series: two of one label would void the whole page. Events
  // without a type, of which there may be none, are the series that every source has from the start.
  std::map<std::string, std::uint64_t> by_label = {{"", 0}};
  for (const auto& [type, count] : totals.received_by_type) by_label[Printable(type)] += count;
  for (const auto& [type, count] : by_label) page.Sample({{"source", source}, {"type", type}}, count);
}

void Sources(Page& page, const std::map<std::string, SourceTotals>& sources) {
  page.Counter("webhook_received_total", "New events stored and acknowledged.");
  for (const auto& [source, totals] : sources) {
    if (!source.empty()) ReceivedByType(page, source, totals);
  }

  page.Histogram("webhook_received_duration_seconds",
                 "Last byte of the request read to acknowledgement written.");
  for (const auto& [source, totals] : sources) {
    if (!source.empty()) page.Seconds({{"source", source}}, totals.duration_ns);
  }

  page.Counter("webhook_duplicate_total", "Events already stored, answered with the first one's sequence.");
  for (const auto& [source, totals] : sources) {
    if (!source.empty()) page.Sample({{"source", source}}, totals.duplicates);
  }

  page.Counter("webhook_conflicts_total",
               "Events that brought other bytes under a known id: kept beside the log, or refused.");
  for (const auto& [source, totals] : sources) {
    if (!source.empty()) page.Sample({{"source", source}}, totals.conflicts);
  }

  page.Counter("webhook_handshake_total", "Provider handshakes answered; never stored.");
  for (const auto& [source, totals] : sources) {
    if (!source.empty()) page.Sample({{"source", source}}, totals.handshakes);
  }

  page.Counter("webhook_signature_failures_total",
               "Requests refused because their sender could not be proven.");
  Rejections(page, sources, "reason", IsSignatureFailure);

  page.Counter("webhook_rejected_total",
               "Requests refused, signature failures included; source is empty when unknown.");
  Rejections(page, sources, "code", [](observe::RejectionCode) { return true; });

  page.Counter("webhook_secret_matched_total", "Requests verified, by the name of the secret that matched.");
  for (const auto& [source, totals] : sources) {
    for (const auto& [name, secret] : totals.secrets) {
      page.Sample({{"source", source}, {"secret", name}}, secret.matched);
    }
  }
}

// When something last happened, in Unix time; 0 when it never did.
void LastTimes(Page& page, const Live& live, const std::map<std::string, SourceTotals>& sources) {
  page.Gauge("webhook_last_received_timestamp_seconds",
             "When an event of this source was last stored or recognised as known; 0 = never.");
  for (const auto& [source, totals] : sources) {
    if (source.empty()) continue;
    page.Sample({{"source", source}}, UnixSeconds(LastReceivedUs(live.last_received_before, source, totals)));
  }
  page.Gauge("webhook_last_refused_timestamp_seconds",
             "When a request was last refused with this code, since the start; 0 = never.");
  for (const auto& [source, totals] : sources) {
    for (std::size_t i = 0; i < totals.last_refused.size(); ++i) {
      const auto code = observe::RejectionCodeName(static_cast<observe::RejectionCode>(i));
      page.Sample({{"source", source}, {"code", std::string(code)}},
                  UnixSeconds(totals.last_refused[i].at_us));
    }
  }
  page.Gauge("webhook_secret_last_matched_timestamp_seconds",
             "When this secret last verified a request, since the start; 0 = never.");
  for (const auto& [source, totals] : sources) {
    for (const auto& [name, secret] : totals.secrets) {
      page.Sample({{"source", source}, {"secret", name}}, UnixSeconds(secret.last_matched_us));
    }
  }
}

double PendingSeconds(std::int64_t oldest_us, std::int64_t now_us) {
  return oldest_us == 0 || oldest_us > now_us ? 0 : static_cast<double>(now_us - oldest_us) / 1e6;
}

// One sink's numbers, copied while its probe may be looked at.
struct SinkNumbers {
  std::string sink;
  std::uint64_t processed, dead_lettered, unable;
  std::array<std::uint64_t, static_cast<std::size_t>(observe::FailureReason::kCount)> failed;
  std::int64_t queue_depth, oldest_pending_us, retry_queue_size, dead_letters, breaker_open, stopped_at;
  bool unopened, held;
  HistogramTotals attempt_ns;
};

SinkNumbers Copy(const observe::SinkProbe& probe) {
  SinkNumbers numbers{.sink = probe.sink,
                      .processed = probe.processed.value(),
                      .dead_lettered = probe.dead_lettered.value(),
                      .unable = probe.unable.value(),
                      .failed = {},
                      .queue_depth = probe.queue_depth.value(),
                      .oldest_pending_us = probe.oldest_pending_us.value(),
                      .retry_queue_size = probe.retry_queue_size.value(),
                      .dead_letters = probe.dead_letters.value(),
                      .breaker_open = probe.breaker_open.value(),
                      .stopped_at = probe.stopped_at.value(),
                      .unopened = !probe.cannot_open.value().empty(),
                      .held = !probe.held.value().empty(),
                      .attempt_ns = {}};
  for (std::size_t i = 0; i < numbers.failed.size(); ++i) numbers.failed[i] = probe.failed[i].value();
  numbers.attempt_ns.Add(probe.attempt_ns);
  return numbers;
}

void Sinks(Page& page, const Live& live, const StoreFacts& facts, std::int64_t now_us) {
  std::vector<SinkNumbers> sinks;
  live.visit_sinks([&](const observe::SinkProbe& probe) { sinks.push_back(Copy(probe)); });

  page.Counter("webhook_processed_total", "Events a sink has taken.");
  for (const auto& sink : sinks) page.Sample({{"sink", sink.sink}}, sink.processed);
  page.Counter("webhook_failed_total", "Attempts that failed.");
  for (const auto& sink : sinks) {
    for (std::size_t i = 0; i < sink.failed.size(); ++i) {
      const auto reason = observe::FailureReasonName(static_cast<observe::FailureReason>(i));
      page.Sample({{"sink", sink.sink}, {"reason", std::string(reason)}}, sink.failed[i]);
    }
  }
  page.Counter("weir_sink_shortage_total",
               "Attempts this machine could not make, for want of descriptors, memory, threads "
               "or the sink's address; they cost none.");
  for (const auto& sink : sinks) page.Sample({{"sink", sink.sink}}, sink.unable);
  page.Counter("webhook_dead_lettered_total", "Events a sink gave up on.");
  for (const auto& sink : sinks) page.Sample({{"sink", sink.sink}}, sink.dead_lettered);
  page.Histogram("webhook_processing_duration_seconds", "One attempt at a sink.");
  for (const auto& sink : sinks) page.Seconds({{"sink", sink.sink}}, sink.attempt_ns);
  page.Gauge("webhook_queue_depth", "Events of the log a sink has neither taken, scheduled nor given up on.");
  for (const auto& sink : sinks) page.Sample({{"sink", sink.sink}}, sink.queue_depth);
  page.Gauge("webhook_oldest_pending_seconds", "Age of the oldest event in the queue; 0 when it is empty.");
  for (const auto& sink : sinks) {
    page.Sample({{"sink", sink.sink}}, PendingSeconds(sink.oldest_pending_us, now_us));
  }
  page.Gauge("webhook_retry_queue_size", "Events scheduled for another attempt.");
  for (const auto& sink : sinks) page.Sample({{"sink", sink.sink}}, sink.retry_queue_size);
  page.Gauge("webhook_dlq_size", "Dead letters; sink \"-\" holds events that never were deliverable.");
  for (const auto& sink : sinks) page.Sample({{"sink", sink.sink}}, sink.dead_letters);
  page.Sample({{"sink", std::string(storage::kIngestSink)}}, facts.ingest_dead_letters);
  page.Gauge("weir_sink_breaker_open", "1 while the sink is given a rest after failures in a row.");
  for (const auto& sink : sinks) page.Sample({{"sink", sink.sink}}, sink.breaker_open);
  page.Gauge("weir_sink_unopened", "1 while the sink cannot be opened and its events wait.");
  for (const auto& sink : sinks) page.Sample({{"sink", sink.sink}}, sink.unopened ? 1 : 0);
  page.Gauge("weir_sink_held", "1 while nothing is delivered because the store takes no settlements.");
  for (const auto& sink : sinks) page.Sample({{"sink", sink.sink}}, sink.held ? 1 : 0);
  page.Gauge("weir_sink_stopped", "1 while the sink waits at an event that cannot be read.");
  for (const auto& sink : sinks) page.Sample({{"sink", sink.sink}}, sink.stopped_at == 0 ? 0 : 1);
}

HistogramTotals Totals(const observe::Histogram& histogram) {
  HistogramTotals totals;
  totals.Add(histogram);
  return totals;
}

void Commits(Page& page, const Live& live) {
  page.Histogram("weir_commit_batch_events", "Events committed by one sync.");
  page.Counts(Totals(live.commit.batch_events));
  page.Histogram("weir_commit_sync_seconds", "One write of a batch and its sync.");
  page.Seconds({}, Totals(live.commit.sync_ns));
  page.Histogram("weir_commit_wait_seconds", "An event's wait from hand-over to the start of its commit.");
  page.Seconds({}, Totals(live.commit.wait_ns));
  page.Counter("weir_commit_conflicts_total", "Known ids that came again with other bytes.");
  page.Sample({}, live.commit.conflicts.value());
  page.Counter("weir_commit_conflicts_dropped_total",
               "Of them, those whose bytes are gone because no more are kept.");
  page.Sample({}, live.commit.conflicts_dropped.value());
  page.Counter("weir_commit_unavailable_total", "Events answered 503 because they could not be stored.");
  page.Sample({}, live.commit.unavailable.value());
  page.Counter("weir_commit_unreadable_total",
               "Events answered 503 because what they may be a duplicate of cannot be read.");
  page.Sample({}, live.commit.unreadable.value());
  page.Gauge("weir_commit_queue_depth", "Requests waiting for the committer.");
  page.Sample({}, live.appends.waiting());
}

void Quarantine(Page& page, quarantine::Quarantine& kept) {
  const quarantine::Quarantine::Probe& probe = kept.probe();
  page.Counter("weir_quarantine_kept_total", "Refused requests written to the quarantine.");
  page.Sample({}, probe.kept.value());
  page.Counter(
      "weir_quarantine_dropped_total",
      "Refused requests that were not kept (queue, unwritten) or made room for newer ones (oldest).");
  page.Sample({{"reason", "queue"}}, probe.overflowed.load(std::memory_order_relaxed));
  page.Sample({{"reason", "unwritten"}}, probe.unwritten.value());
  page.Sample({{"reason", "oldest"}}, probe.evicted.value());
  page.Gauge("weir_quarantine_bytes", "Bytes of the quarantine's files.");
  page.Sample({}, kept.shelf().bytes());
}

void Shards(Page& page, const Live& live, const ShardTotals& totals) {
  page.Gauge("weir_connections", "Open connections of senders.");
  page.Sample({}, totals.connections);
  page.Counter("weir_connections_accepted_total", "Connections accepted.");
  page.Sample({}, totals.connections_accepted);
  page.Gauge("weir_connections_max",
             "Connections of senders that may be open: as configured, or as there are descriptors.");
  page.Sample({}, live.gate.connections_max.load(std::memory_order_relaxed));
  page.Counter(
      "weir_connections_refused_total",
      "Connections that were not kept, by reason: limit (as many as may be, and none idle), descriptors.");
  for (std::size_t i = 0; i < totals.connections_refused.size(); ++i) {
    page.Sample(
        {{"reason", std::string(observe::ConnectionRefusalName(static_cast<observe::ConnectionRefusal>(i)))}},
        totals.connections_refused[i]);
  }
  page.Counter("weir_connections_displaced_total",
               "Idle connections that were closed to make room for a new one.");
  page.Sample({}, totals.connections_displaced);
  page.Counter("weir_requests_total", "Requests read, whatever became of them.");
  page.Sample({}, totals.requests);
  page.Gauge("weir_inflight_bytes", "Bytes of requests not answered yet.");
  page.Sample({}, live.gate.inflight_bytes.load(std::memory_order_relaxed));
  page.Counter("weir_receive_buffers_starved_total", "Receives that ended because no buffer was left.");
  page.Sample({}, totals.buffers_starved);
  page.Counter("weir_ring_overflows_total", "Times a completion ring overflowed.");
  page.Sample({}, totals.ring_overflows);
}

void Configuration(Page& page, const observe::ReloadProbe& reloads) {
  const observe::ReloadReport last = reloads.last();
  page.Gauge("weir_config_last_reload_success",
             "1 when the configuration was applied the last time it was read; 0 when it was wrong.");
  page.Sample({}, last.applied ? 1 : 0);
  page.Gauge("weir_config_last_reload_timestamp_seconds",
             "Unix time the configuration was last read, at the start or by a reload.");
  page.Sample({}, static_cast<double>(last.at_us) / 1e6);
  page.Gauge("weir_config_restart_pending", "Keys of the configuration that take effect at the next start.");
  page.Sample({}, last.needs_restart.size());
}

void Process(Page& page, const Live& live, const StoreFacts& facts, const ProcessUse& process) {
  page.Gauge("weir_log_first_sequence", "The oldest event still kept.");
  page.Sample({}, facts.statistics.first_sequence);
  page.Gauge("weir_log_last_sequence", "The newest durable event.");
  page.Sample({}, facts.statistics.last_sequence);
  page.Counter("weir_retention_forgotten_total", "Events forgotten because of their age.");
  page.Sample({}, live.retention.forgotten.value());
  page.Gauge("weir_retention_held_events", "Events past their retention that something needs still.");
  page.Sample({}, live.retention.held.value());
  page.Counter("weir_retention_looks_total", "Looks at the time and for old events, one a minute.");
  page.Sample({}, live.retention.looks.value());
  page.Counter("weir_retention_errors_total", "What could not be done in those looks.");
  page.Sample({}, live.retention.errors.value());
  page.Counter("weir_clock_steps_total", "How often the machine's clock was found set by more than 5 s.");
  page.Sample({}, live.retention.steps.value());
  page.Gauge("weir_store_bytes", "Bytes of the store's files.");
  page.Sample({}, facts.statistics.disk.store_bytes);
  const storage::LogSegments& segments = facts.statistics.segments;
  page.Gauge("weir_wal_segments_ready",
             "Files of the write-ahead log that were written before they are needed.");
  page.Sample({}, segments.ready);
  page.Counter("weir_wal_segments_total",
               "Files that the write-ahead log has gone on in: prewritten, or grown because none was ready.");
  page.Sample({{"kind", "prewritten"}}, segments.prewritten);
  page.Sample({{"kind", "grown"}}, segments.grown);
  page.Gauge("weir_wal_room_taken",
             "1 where the file system says that files of the write-ahead log need no more room when they are "
             "written.");
  page.Sample({}, segments.room_is_taken ? 1 : 0);
  page.Gauge("weir_store_write_stopped", "1 while compaction makes writers wait.");
  page.Sample({}, facts.statistics.write_stopped ? 1 : 0);
  page.Gauge("weir_store_trouble", "1 while this part of the store has met an error and is not over it.");
  std::array<int, storage::StoreTrouble::kParts> lasting{};
  for (const auto& trouble : facts.statistics.troubles) lasting[static_cast<std::size_t>(trouble.part)] = 1;
  const auto part = [](std::size_t i) {
    return std::string(storage::TroublePartName(static_cast<storage::StoreTrouble::Part>(i)));
  };
  for (std::size_t i = 0; i < lasting.size(); ++i) page.Sample({{"part", part(i)}}, lasting[i]);
  page.Counter("weir_store_errors_total", "Errors a part of the store has met and gone on from.");
  for (std::size_t i = 0; i < lasting.size(); ++i) {
    page.Sample({{"part", part(i)}}, facts.statistics.trouble_counts[i]);
  }
  page.Gauge("weir_disk_free_bytes", "Free bytes of the store's disk.");
  page.Sample({}, facts.statistics.disk.free_bytes);
  page.Gauge("weir_build_info", "Always 1; version and I/O mode of the process.");
  page.Sample({{"version", WEIR_VERSION}, {"ring", live.ring_mode}}, 1);
  page.Counter("process_cpu_seconds_total", "User and system time of the process.");
  page.Sample({}, process.cpu_seconds);
  page.Gauge("process_resident_memory_bytes", "Resident memory of the process.");
  page.Sample({}, process.resident_bytes);
  page.Counter("weir_log_dropped_total", "Lines of the log that nobody took in time.");
  page.Sample({}, observe::log::Dropped());
  page.Gauge("process_open_fds", "Open file descriptors of the process.");
  page.Sample({}, process.open_descriptors);
  page.Gauge("process_start_time_seconds", "Unix time the process started.");
  page.Sample({}, static_cast<double>(live.started_at_us) / 1e6);
}

}  // namespace

std::string MetricsPage(const Live& live, const StoreFacts& facts, const ProcessUse& process,
                        std::int64_t now_us) {
  const ShardTotals totals = AddUp(live.shards);
  Page page;
  Sources(page, totals.sources);
  LastTimes(page, live, totals.sources);
  Sinks(page, live, facts, now_us);
  Commits(page, live);
  Shards(page, live, totals);
  if (live.quarantine != nullptr) Quarantine(page, *live.quarantine);
  if (live.reloads != nullptr) Configuration(page, *live.reloads);
  Process(page, live, facts, process);
  return page.Text();
}

}  // namespace weir::admin
