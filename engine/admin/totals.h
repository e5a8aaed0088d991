// The shards' counters added up, a source at a time. Every read is relaxed: a total may miss what happened
// this instant.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "engine/observe/probe.h"
#include "engine/observe/shard_probe.h"

namespace weir::admin {

struct HistogramTotals {
  std::array<std::uint64_t, observe::Histogram::kBuckets> buckets{};
  std::uint64_t count = 0;
  std::uint64_t sum = 0;

  void Add(const observe::Histogram& histogram);
  // The value that `fraction` of all values do not exceed, in the histogram's own unit, interpolated inside
  // its bucket; 0 when nothing was recorded. Buckets are powers of two, so it is a figure for people, not for
  // a bill.
  double Quantile(double fraction) const;
};

struct LastRefusal {
  std::int64_t at_us = 0;  // Unix time; 0 = not since the start of the process
  std::uint64_t request_id = 0;
  std::string detail = {};
};

struct SecretTotals {
  std::uint64_t matched = 0;
  std::int64_t last_matched_us = 0;  // Unix time; 0 = not since the start of the process
};

struct SourceTotals {
  std::map<std::string, std::uint64_t> received_by_type;
  std::uint64_t received = 0;
  std::uint64_t duplicates = 0;
  std::uint64_t conflicts = 0;
  std::uint64_t handshakes = 0;
  std::array<std::uint64_t, static_cast<std::size_t>(observe::RejectionCode::kCount)> rejected{};
  std::array<LastRefusal, static_cast<std::size_t>(observe::RejectionCode::kCount)> last_refused{};
  std::map<std::string, SecretTotals> secrets;  // by name, printable
  std::int64_t last_received_us = 0;            // Unix time; 0 = not since the start of the process
  HistogramTotals duration_ns;
};

struct ShardTotals {
  std::int64_t connections = 0;
  std::uint64_t connections_accepted = 0;
  std::array<std::uint64_t, static_cast<std::size_t>(observe::ConnectionRefusal::kCount)>
      connections_refused{};
  std::uint64_t connections_displaced = 0;
  std::uint64_t requests = 0;
  std::uint64_t buffers_starved = 0;
  std::uint64_t ring_overflows = 0;
  std::map<std::string, SourceTotals> sources;  // "" = refused before the source was known
};

// When this source last received something, the time before the start of the process included; 0 = never.
std::int64_t LastReceivedUs(const std::map<std::string, std::int64_t>& before, const std::string& source,
                            const SourceTotals& totals);

ShardTotals AddUp(const std::vector<const observe::ShardProbe*>& shards);

}  // namespace weir::admin
