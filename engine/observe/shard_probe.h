// What one shard tells. Written by the shard's thread only; the metrics page sums over shards. Labels that
// senders choose (event types) are bounded: past kTypesPerSource a type counts as "other".
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "engine/limits.h"
#include "engine/observe/probe.h"

namespace weir::observe {

inline constexpr std::size_t kTypesPerSource = 64;
inline constexpr std::size_t kSourcesMax =
    1024;  // source names over the life of the process; past it: "other"

// Why a request was not taken; one label value each of webhook_rejected_total{source,code}. Requests refused
// before their source is known count under source="".
enum class RejectionCode : std::uint8_t {
  kUnknownSource,
  kMethodNotAllowed,
  kUnsupportedEncoding,
  kLengthRequired,
  kBodyTooLarge,
  kHeadTooLarge,
  kTimeout,
  kMalformedRequest,
  kAddressNotAllowed,
  kRateLimited,
  kOverloaded,
  kMalformedPayload,
  kIdConflict,
  kMissingSignature,
  kMalformedSignature,
  kInvalidSignature,
  kStaleTimestamp,
  kKeyUnavailable,
  kMissingField,
  kCount
};
std::string_view RejectionCodeName(RejectionCode code);  // as in the error bodies: "unknown_source" …

// Why a connection was not kept; one label value each of weir_connections_refused_total{reason}.
enum class ConnectionRefusal : std::uint8_t {
  kLimit,        // as many as may be are open, and none of this shard's is idle
  kDescriptors,  // the process, or the machine, has no descriptor left
  kCount
};
std::string_view ConnectionRefusalName(ConnectionRefusal reason);

struct SourceProbe {
  std::string source;
  Counter duplicates;  // events that were stored already
  Counter conflicts;   // events that brought other bytes under a known id
  Counter handshakes;
  Histogram duration_ns;  // last byte read -> ack written
  std::array<Counter, static_cast<std::size_t>(RejectionCode::kCount)> rejected;
  std::array<Counter, limits::kSecretsPerSourceMax> secret_matched;

  // Counts one new event of this type.
  void Received(std::string_view type);

  struct TypeCount {
    std::string type;
    Counter count;
  };
  // The reader sees a prefix that never changes: entries are published by the release store of the count.
  std::size_t type_count() const { return published_.load(std::memory_order_acquire); }
  const TypeCount& type(std::size_t i) const { return *types_[i]; }

 private:
  TypeCount& AddType(std::string_view type);

  std::array<std::unique_ptr<TypeCount>, kTypesPerSource + 1> types_;
  std::atomic<std::size_t> published_{0};
  std::unordered_map<std::string_view, TypeCount*> by_type_;  // the writer's own; keys point into types_
};

class ShardProbe {
 public:
  Gauge connections;
  Counter connections_accepted;
  std::array<Counter, static_cast<std::size_t>(ConnectionRefusal::kCount)> connections_refused;
  Counter connections_displaced;  // idle ones that were closed because a new one came
  Counter connections_ended_for_memory;
  Counter requests;
  Counter buffers_starved;  // a receive ended because no provided buffer was left
  Counter ring_overflows;

  // Shard thread: the probe of a source by name, made on first use; survives reloads, so counters never go
  // backwards.
  SourceProbe& ForSource(std::string_view name);
  std::size_t source_count() const { return published_.load(std::memory_order_acquire); }
  const SourceProbe& source(std::size_t i) const { return *sources_[i]; }

 private:
  std::array<std::unique_ptr<SourceProbe>, kSourcesMax> sources_;
  std::atomic<std::size_t> published_{0};
  std::unordered_map<std::string_view, SourceProbe*> by_name_;  // the writer's own; keys point into sources_
};

}  // namespace weir::observe
