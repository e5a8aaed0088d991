#include "tools/memory_ceiling.h"

#include <algorithm>

#include "engine/commit/append.h"
#include "engine/disk_floor.h"
#include "engine/limits.h"
#include "engine/quarantine/quarantine.h"
#include "storage/event_store.h"
#include "storage/limits.h"

namespace weir::tools {
namespace {

// What the kernel and we keep for an open connection that waits; a head or body in pieces counts as in
// flight.
constexpr std::uint64_t kIdleConnectionBytes = 4 * limits::kKiB;
// A retry waiting in memory: sequence, due time, attempts, a short reason.
constexpr std::uint64_t kScheduledRetryBytes = 160;
constexpr std::uint64_t kDedupeHeadBytesPerEvent = 32;

std::uint64_t LargestBody(const config::Config& config) {
  std::uint64_t largest = config.server.limits.body_bytes;
  for (const source::Source& source : config.sources)
    largest = std::max<std::uint64_t>(largest, source.body_bytes_max);
  return largest;
}

std::uint64_t SinkBytes(const config::Sink& sink, std::uint64_t largest_body) {
  const std::uint64_t tail = limits::kTailBytesMax;
  const std::uint64_t schedule = limits::kRetryScheduleMax * kScheduledRetryBytes;
  const std::uint64_t window = limits::kSettledAboveMax * sizeof(storage::Sequence);
  std::uint64_t attempts = 0;
  switch (sink.kind) {
    case config::SinkKind::kHttp:
      attempts = sink.concurrency * (std::max<std::uint64_t>(largest_body, limits::kSinkRequestKeptBytes) +
                                     limits::kSinkReceiveBytes);
      break;
    case config::SinkKind::kFile:
      // base64 makes four bytes of three, and one line may pass the batch.
      attempts = limits::kFileSinkBatchBytes + largest_body / 3 * 4;
      break;
  }
  return tail + schedule + window + attempts;
}

std::uint64_t StoreBytes(const config::Config& config) {
  namespace store = storage::limits;
  const std::uint64_t event_memtable = MemtableBytesFor(config.server.limits.min_free_disk_bytes);
  constexpr std::uint64_t kSmallFamilies = 4;  // all but events and dedupe
  const std::uint64_t memtables =
      store::kMemtablesPerFamily *
      (event_memtable + store::kDedupeMemtableBytes + kSmallFamilies * store::kSmallFamilyMemtableBytes);
  const std::uint64_t heads =
      (1 + store::kDedupeFrozenHeadsMax) * store::kDedupeHeadEvents * kDedupeHeadBytesPerEvent;
  // Of the write-ahead log that is written to and the one before it.
  const std::uint64_t frames = 2 * (store::kWalFrameBytesMax + store::kWalTailBytesMax);
  return memtables + store::kBlockCacheBytes + heads + store::kDedupeFilterBytesMax + frames;
}

}  // namespace

std::vector<MemoryPart> MemoryCeiling(const config::Config& config) {
  const config::ServerLimits& server = config.server.limits;
  const std::uint64_t largest_body = LargestBody(config);
  std::vector<MemoryPart> parts = {
      {"requests in flight", server.inflight_bytes},
      {"receive buffers",
       std::uint64_t{config.server.threads} * limits::kReceiveBuffers * limits::kReceiveBufferBytes},
      {"connections", server.connections * kIdleConnectionBytes},
      {"commit queue and group",
       limits::kCommitQueueEvents * sizeof(commit::Append) + 2 * limits::kCommitGroupBytesMax},
      {"store", StoreBytes(config)},
  };
  if (std::ranges::any_of(config.sources,
                          [](const auto& source) { return source.quarantine_bytes_max != 0; })) {
    parts.push_back({"quarantine queue", quarantine::kQueueBytesMax + config.server.threads * largest_body});
  }
  for (const config::Sink& sink : config.sinks)
    parts.push_back({"sink " + sink.name, SinkBytes(sink, largest_body)});
  return parts;
}

std::uint64_t Total(const std::vector<MemoryPart>& parts) {
  std::uint64_t total = 0;
  for (const MemoryPart& part : parts) total += part.bytes;
  return total;
}

}  // namespace weir::tools
