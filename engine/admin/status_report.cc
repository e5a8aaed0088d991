#include "engine/admin/status_report.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "engine/admin/delivery_snapshot.h"
#include "engine/admin/known_sources.h"
#include "engine/admin/latency_json.h"
#include "engine/admin/process_use.h"
#include "engine/admin/readiness.h"
#include "engine/admin/source_report.h"
#include "engine/admin/time_expression.h"
#include "engine/admin/totals.h"
#include "engine/clock/clock.h"

namespace weir::admin {

namespace {

using Json = nlohmann::ordered_json;

template <typename Counters>
std::uint64_t Sum(const Counters& counters) {
  return std::accumulate(counters.begin(), counters.end(), std::uint64_t{0});
}

HistogramTotals Totals(const observe::Histogram& histogram) {
  HistogramTotals totals;
  totals.Add(histogram);
  return totals;
}

Json ServerJson(const Live& live, const std::vector<std::string>& reasons, std::int64_t now_us) {
  return {{"running", true},
          {"version", WEIR_VERSION},
          {"ring", live.ring_mode},
          {"started_at", FormatTime(live.started_at_us)},
          {"uptime_seconds", std::max<std::int64_t>(0, (now_us - live.started_at_us) / 1'000'000)},
          {"ready", reasons.empty()},
          {"reasons", reasons},
          {"resident_bytes", ReadProcessUse().resident_bytes}};
}

Json IngestJson(const Live& live, const std::vector<std::string>& former) {
  const ShardTotals totals = AddUp(live.shards);
  std::uint64_t received = 0;
  std::uint64_t duplicates = 0;
  std::uint64_t rejected = 0;
  HistogramTotals latency;
  for (const auto& [name, source] : totals.sources) {
    received += source.received;
    duplicates += source.duplicates;
    rejected += Sum(source.rejected);
    latency.count += source.duration_ns.count;
    for (std::size_t i = 0; i < latency.buckets.size(); ++i)
      latency.buckets[i] += source.duration_ns.buckets[i];
  }
  return {{"received", received},
          {"duplicates", duplicates},
          {"rejected", rejected},
          {"connections", totals.connections},
          {"inflight_bytes", live.gate.inflight_bytes.load(std::memory_order_relaxed)},
          {"latency", LatencyJson(latency)},
          {"sources", LiveSourcesJson(live, totals, former)},
          {"without_source", RefusedWithoutSourceJson(totals)}};
}

Json CommitJson(const Live& live) {
  const HistogramTotals batches = Totals(live.commit.batch_events);
  const double mean =
      batches.count == 0 ? 0 : static_cast<double>(batches.sum) / static_cast<double>(batches.count);
  return {{"batches", batches.count},
          {"events_per_batch", mean},
          {"sync", LatencyJson(Totals(live.commit.sync_ns))},
          {"wait", LatencyJson(Totals(live.commit.wait_ns))},
          {"queue_depth", live.appends.waiting()},
          {"conflicts", live.commit.conflicts.value()},
          {"unavailable", live.commit.unavailable.value()}};
}

Json ConfigurationJson(const observe::ReloadReport& report) {
  return {{"read_at", FormatTime(report.at_us)},
          {"applied", report.applied},
          {"errors", report.errors},
          {"needs_restart", report.needs_restart}};
}

Json SinkJson(const observe::SinkProbe& probe, std::int64_t now_us) {
  std::uint64_t failed = 0;
  for (const observe::Counter& reason : probe.failed) failed += reason.value();
  const std::string why = probe.cannot_open.value();
  const std::string held = probe.held.value();
  const std::int64_t oldest_us = probe.oldest_pending_us.value();
  const std::int64_t age_us = oldest_us == 0 ? 0 : std::max<std::int64_t>(0, now_us - oldest_us);
  return {{"sink", probe.sink},
          {"processed", probe.processed.value()},
          {"failed_attempts", failed},
          {"queue_depth", probe.queue_depth.value()},
          {"oldest_pending_seconds", static_cast<double>(age_us) / 1e6},
          {"retry_queue_size", probe.retry_queue_size.value()},
          {"dead_letters", probe.dead_letters.value()},
          {"breaker_open", probe.breaker_open.value() != 0},
          {"cannot_open", why.empty() ? Json(nullptr) : Json(why)},
          {"held", held.empty() ? Json(nullptr) : Json(held)},
          {"stopped_at", probe.stopped_at.value()},
          {"latency", LatencyJson(Totals(probe.attempt_ns))}};
}

// What the store alone says about its sinks. The queue is counted over the log, so events no route sends here
// are in it.
storage::StoreResult<Json> StoredSinksJson(const storage::EventStore& store, storage::Sequence last) {
  const auto snapshot = TakeSnapshot(store);
  if (!snapshot) return std::unexpected(snapshot.error());
  Json sinks = Json::array();
  for (const SinkFate& fate : snapshot->sinks) {
    const std::uint64_t above = last - std::min(last, fate.position.offset);
    sinks.push_back({{"sink", fate.sink},
                     {"offset", fate.position.offset},
                     {"queue_depth", above - std::min<std::uint64_t>(above, fate.position.above.size())},
                     {"retry_queue_size", fate.retrying.size()},
                     {"dead_letters", fate.dead.size()}});
  }
  return sinks;
}

}  // namespace

storage::StoreResult<Json> StatusReport(const Wiring& wiring, std::int64_t now_us) {
  const auto statistics = wiring.store.Statistics();
  const auto ingest_dead = wiring.store.CountDeadLetters(storage::kIngestSink);
  if (!ingest_dead) return std::unexpected(ingest_dead.error());

  Json json = {{"at", FormatTime(now_us)}};
  if (wiring.live) {
    const Live& live = *wiring.live;
    const DiskRoom room = RoomOf(statistics.disk, live, clock::Read().monotonic_ms);
    json["server"] = ServerJson(live, ReasonsNotReady(live.gate, statistics, room), now_us);
    if (live.reloads != nullptr) json["configuration"] = ConfigurationJson(live.reloads->last());
    const auto known = KnownSources(wiring.store);
    if (!known) return std::unexpected(known.error());
    json["ingest"] = IngestJson(live, FormerNames(*known));
    json["commit"] = CommitJson(live);
  } else {
    json["server"] = {{"running", false}};
  }
  json["log"] = {{"first_sequence", statistics.first_sequence},
                 {"last_sequence", statistics.last_sequence},
                 {"bytes", statistics.disk.store_bytes},
                 {"segments",
                  {{"ready", statistics.segments.ready},
                   {"prewritten", statistics.segments.prewritten},
                   {"grown", statistics.segments.grown},
                   {"room_taken", statistics.segments.room_is_taken}}}};
  json["troubles"] = Json::array();
  for (const storage::StoreTrouble& trouble : statistics.troubles) {
    json["troubles"].push_back(
        {{"part", storage::TroublePartName(trouble.part)}, {"reason", trouble.message}});
  }
  json["disk"] = {{"free_bytes", statistics.disk.free_bytes}};
  if (wiring.live) {
    json["disk"]["floor_bytes"] = wiring.live->min_free_disk_bytes;
    json["sinks"] = Json::array();
    wiring.live->visit_sinks(
        [&](const observe::SinkProbe& probe) { json["sinks"].push_back(SinkJson(probe, now_us)); });
  } else {
    auto sinks = StoredSinksJson(wiring.store, statistics.last_sequence);
    if (!sinks) return std::unexpected(sinks.error());
    json["sinks"] = std::move(*sinks);
  }
  json["never_deliverable"] = *ingest_dead;
  return json;
}

}  // namespace weir::admin
