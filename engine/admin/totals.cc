#include "engine/admin/totals.h"

#include <algorithm>
#include <cmath>

#include "engine/admin/printable.h"

namespace weir::admin {

namespace {

void AddSource(const observe::SourceProbe& probe, SourceTotals& totals) {
  for (std::size_t i = 0; i < probe.type_count(); ++i) {
    const auto& type = probe.type(i);
    totals.received_by_type[type.type] += type.count.value();
    totals.received += type.count.value();
  }
  totals.duplicates += probe.duplicates.value();
  totals.conflicts += probe.conflicts.value();
  totals.handshakes += probe.handshakes.value();
  for (std::size_t i = 0; i < totals.rejected.size(); ++i) totals.rejected[i] += probe.rejected[i].value();
  for (std::size_t i = 0; i < totals.last_refused.size(); ++i) {
    const std::int64_t at_us = probe.last_refused[i].at_us.value();
    if (at_us <= totals.last_refused[i].at_us) continue;
    totals.last_refused[i] = {.at_us = at_us,
                              .request_id = probe.last_refused[i].request_id.load(std::memory_order_relaxed),
                              .detail = probe.last_refused[i].detail.value()};
  }
  for (std::size_t i = 0; i < probe.secret_count(); ++i) {
    const observe::SecretProbe& secret = probe.secret(i);
    SecretTotals& known = totals.secrets[Printable(secret.secret)];
    known.matched += secret.matched.value();
    known.last_matched_us = std::max(known.last_matched_us, secret.last_matched_us.value());
  }
  totals.last_received_us = std::max(totals.last_received_us, probe.last_received_us.value());
  totals.duration_ns.Add(probe.duration_ns);
}

}  // namespace

void HistogramTotals::Add(const observe::Histogram& histogram) {
  for (std::size_t i = 0; i < buckets.size(); ++i) {
    const std::uint64_t n = histogram.bucket(i);
    buckets[i] += n;
    count += n;
  }
  sum += histogram.sum();
}

double HistogramTotals::Quantile(double fraction) const {
  if (count == 0) return 0;
  const double wanted = fraction * static_cast<double>(count);
  double seen = 0;
  for (std::size_t i = 0; i < buckets.size(); ++i) {
    const auto here = static_cast<double>(buckets[i]);
    if (here > 0 && seen + here >= wanted) {
      const double low = i == 0 ? 0 : std::ldexp(1.0, static_cast<int>(i) - 1);
      const double high = i == 0 ? 0 : std::ldexp(1.0, static_cast<int>(i));
      return low + (high - low) * (wanted - seen) / here;
    }
    seen += here;
  }
  return std::ldexp(1.0, static_cast<int>(buckets.size()) - 1);
}

std::int64_t LastReceivedUs(const std::map<std::string, std::int64_t>& before, const std::string& source,
                            const SourceTotals& totals) {
  const auto stored = before.find(source);
  return std::max(totals.last_received_us, stored == before.end() ? 0 : stored->second);
}

ShardTotals AddUp(const std::vector<const observe::ShardProbe*>& shards) {
  ShardTotals totals;
  for (const observe::ShardProbe* shard : shards) {
    totals.connections += shard->connections.value();
    totals.connections_accepted += shard->connections_accepted.value();
    for (std::size_t i = 0; i < totals.connections_refused.size(); ++i) {
      totals.connections_refused[i] += shard->connections_refused[i].value();
    }
    totals.connections_displaced += shard->connections_displaced.value();
    totals.requests += shard->requests.value();
    totals.buffers_starved += shard->buffers_starved.value();
    totals.ring_overflows += shard->ring_overflows.value();
    for (std::size_t i = 0; i < shard->source_count(); ++i) {
      const observe::SourceProbe& source = shard->source(i);
      AddSource(source, totals.sources[source.source]);
    }
  }
  return totals;
}

}  // namespace weir::admin
