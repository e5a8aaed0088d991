// What one shard tells. Written by the shard's thread only; the metrics page sums over shards. Labels are
// bounded, those that senders choose (event types) as well as those that reloads bring: past its bound a label
// counts as "other".
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "engine/observe/note.h"
#include "engine/observe/probe.h"

namespace weir::observe {

inline constexpr std::size_t kTypesPerSource = 64;
// Names over the life of the process, which reloads bring.
inline constexpr std::size_t kSourcesMax = 1024;
inline constexpr std::size_t kSecretsPerSource = 64;
inline constexpr std::size_t kRefusalDetailBytesMax = 256;

// Why a request was not taken, as the body of its answer says it; one label value each of
// webhook_rejected_total{source,code}. Requests count under source="" whose source never became known.
enum class RejectionCode : std::uint8_t {
  kUnknownSource,
  kMethodNotAllowed,
  kUnsupportedEncoding,
  kLengthRequired,
  kBodyTooLarge,
  kHeadersTooLarge,
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
  kTargetTooLong,
  kTooManyHeaders,
  kVersionNotSupported,
  kInvalidHost,
  kBadContentLength,
  kBadTransferEncoding,
  kExpectationFailed,
  kBadChunk,
  kTooMuchChunkFraming,
  kChunkExtensionTooLarge,
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

// Entries by their label, which one thread adds and any thread reads: a prefix that never changes, published by
// the release store of its length. Past kMax labels everything is the entry "other".
template <typename Entry, std::string Entry::* kLabel, std::size_t kMax>
class LabelledList {
 public:
  // Writer's thread: the entry of this label, made on first use. It stays where it is.
  Entry& For(std::string_view label) {
    const auto known = by_label_.find(label);
    return known != by_label_.end() ? *known->second : Add(label);
  }

  std::size_t size() const { return published_.load(std::memory_order_acquire); }
  const Entry& operator[](std::size_t i) const { return *entries_[i]; }

 private:
  Entry& Add(std::string_view label) {
    const std::size_t used = published_.load(std::memory_order_relaxed);
    if (used >= kMax) {
      // A label may itself be "other": then that is the entry, because two of one label are not a metric.
      label = "other";
      const auto other = by_label_.find(label);
      if (other != by_label_.end()) return *other->second;
    }
    entries_[used] = std::make_unique<Entry>();
    Entry& added = *entries_[used];
    added.*kLabel = label;
    by_label_.emplace(added.*kLabel, &added);
    published_.store(used + 1, std::memory_order_release);
    return added;
  }

  std::array<std::unique_ptr<Entry>, kMax + 1> entries_;
  std::atomic<std::size_t> published_{0};
  std::unordered_map<std::string_view, Entry*> by_label_;  // the writer's own; keys point into entries_
};

// The newest refusal with one code. A reader may meet the time of one and the id of its neighbour.
struct LastRefusal {
  Gauge at_us;  // Unix time, microseconds; 0 = never
  std::atomic<std::uint64_t> request_id{0};
  Note
      detail;  // what was wrong in particular, kRefusalDetailBytesMax at most; may hold what the sender wrote
};

struct SecretProbe {
  std::string secret;  // its name, never its value
  Counter matched;
  Gauge last_matched_us;  // Unix time, microseconds; 0 = never
};

struct SourceProbe {
  std::string source;
  Counter duplicates;    // events that were stored already
  Gauge last_duplicate;  // where the newest of them is stored, a sequence; 0 = none came
  Counter conflicts;     // events that brought other bytes under a known id
  Counter handshakes;
  Histogram duration_ns;   // last byte read -> ack written
  Gauge last_received_us;  // when an event came that was stored or known already; Unix time, 0 = never
  std::array<Counter, static_cast<std::size_t>(RejectionCode::kCount)> rejected;
  std::array<LastRefusal, static_cast<std::size_t>(RejectionCode::kCount)> last_refused;

  // Counts one new event of this type.
  void Received(std::string_view type) { types_.For(type).count.Add(); }
  // Counts one refusal; `request_id` is what its answer bears as X-Request-Id.
  void Refused(RejectionCode code, std::uint64_t request_id, std::int64_t unix_us,
               std::string_view detail = {});
  // Of the secret with this name.
  SecretProbe& ForSecret(std::string_view name) { return secrets_.For(name); }

  struct TypeCount {
    std::string type;
    Counter count;
  };
  std::size_t type_count() const { return types_.size(); }
  const TypeCount& type(std::size_t i) const { return types_[i]; }
  std::size_t secret_count() const { return secrets_.size(); }
  const SecretProbe& secret(std::size_t i) const { return secrets_[i]; }

 private:
  LabelledList<TypeCount, &TypeCount::type, kTypesPerSource> types_;
  LabelledList<SecretProbe, &SecretProbe::secret, kSecretsPerSource> secrets_;
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

  // Shard thread: the probe of a source by name; survives reloads, so counters never go backwards.
  SourceProbe& ForSource(std::string_view name) { return sources_.For(name); }
  std::size_t source_count() const { return sources_.size(); }
  const SourceProbe& source(std::size_t i) const { return sources_[i]; }

 private:
  LabelledList<SourceProbe, &SourceProbe::source, kSourcesMax> sources_;
};

// Sixteen hex digits, as X-Request-Id says it.
std::array<char, 16> RequestIdText(std::uint64_t request_id);

}  // namespace weir::observe
