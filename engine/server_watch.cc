#include <chrono>
#include <new>

#include "engine/disk_floor.h"
#include "engine/observe/log.h"
#include "engine/server_parts.h"
#include "engine/source/scheme.h"
#include "engine/source/source.h"
#include "storage/memory_shortage.h"

namespace weir {

namespace {

// A commit that takes longer: the disk does not answer.
constexpr std::int64_t kCommitOverdueMs = 2'000;
// How often the shards' refusals are looked at.
constexpr std::int64_t kRefusalLookMs = 1'000;

}  // namespace

std::int64_t MonotonicMs() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

// What lacks memory for a look has another one in a moment.
void Server::Parts::LookAround() {
  try {
    const MayLackMemory here;
    // A step of the clock that is undone soon is seen here, or by whoever commits meanwhile.
    partition->store().Tell(storage::ReadClocks());
    LookAtDisk();
    LookAtCommits();
    LookAtConnections();
    LookAtRefusals();
  } catch (const std::bad_alloc&) {
    observe::log::Warn("no memory to look after the server with; it is tried again");
  }
}

// Each reading is spent once: while the disk does not say how much room it has, what it said last bounds what comes in.
void Server::Parts::LookAtDisk() {
  storage::EventStore& store = partition->store();
  const storage::DiskReading reading = store.LastDiskReading();
  if (failed.load() || reading.monotonic_ms == disk_judged_ms) return;
  disk_judged_ms = reading.monotonic_ms;
  const std::uint64_t free_bytes = reading.free_bytes;
  const DiskVerdict verdict = JudgeDisk(free_bytes, config.server.limits.min_free_disk_bytes, !disk_said_no);
  gate.disk_budget_bytes.store(verdict.budget_bytes);
  gate.storable.store(verdict.storable);
  store.AllowSettlements(verdict.settlement_bytes);
  store.AllowMerges(verdict.merge_bytes);
  if (verdict.storable == disk_said_no) {
    disk_said_no = !verdict.storable;
    if (disk_said_no) {
      observe::log::Warn(
          "disk nearly full: events are answered 503 and deliveries wait until there is room",
          {{"free_bytes", free_bytes}, {"min_free_disk_bytes", config.server.limits.min_free_disk_bytes}});
    } else {
      observe::log::Info("disk has room again: events are stored and delivered",
                         {{"free_bytes", free_bytes}});
    }
  }
}

// A disk that does not answer holds up the commit that waits for it. What waits behind it is told so instead of
// waiting too, and what comes is refused before its body is read.
void Server::Parts::LookAtCommits() {
  const std::int64_t since_ns = partition->probe().under_way_since_ns.value();
  const std::int64_t for_ms = since_ns == 0 ? 0 : MonotonicMs() - since_ns / 1'000'000;
  const bool overdue = for_ms >= kCommitOverdueMs;
  if (gate.commit_overdue.exchange(overdue) == overdue) return;
  if (overdue) {
    observe::log::Error("the disk does not answer: events are answered 503 until it does",
                        {{"commit_under_way_ms", for_ms}});
  } else {
    observe::log::Info("the disk answers again: events are stored");
  }
}

void Server::Parts::LookAtRefusals() {
  const std::int64_t now_ms = MonotonicMs();
  if (now_ms - refusals_looked_at_ms < kRefusalLookMs) return;
  refusals_looked_at_ms = now_ms;
  std::vector<const observe::ShardProbe*> probes;
  probes.reserve(shard_probes.size());
  for (const auto& probe : shard_probes) probes.push_back(probe.get());
  for (const RefusalWatch::Notice& notice : refusals.Look(probes, now_ms)) {
    const source::Source* source = sources->Find(notice.source);
    Log(notice, {.config_file = config.file.string(),
                 .data = config.server.data.string(),
                 .kept = source != nullptr && source->quarantine_bytes_max != 0});
  }
  const auto by_hand = [this](const std::string& name) {
    const source::Source* source = sources->Find(name);
    return source != nullptr && source->scheme->event.redelivered_by_hand;
  };
  for (const RedeliveryWatch::Notice& notice : redeliveries.Look(probes, by_hand, now_ms)) {
    Log(notice, config.server.data.string());
  }
}

void Server::Parts::LookAtConnections() {
  using observe::ConnectionRefusal;
  ConnectionWatch::Totals totals;
  for (const auto& probe : shard_probes) {
    const auto refused = [&](ConnectionRefusal reason) {
      return probe->connections_refused[static_cast<std::size_t>(reason)].value();
    };
    totals.limit += refused(ConnectionRefusal::kLimit);
    totals.descriptors += refused(ConnectionRefusal::kDescriptors);
    totals.displaced += probe->connections_displaced.value();
  }
  const auto since = connection_watch.Look(totals, MonotonicMs());
  if (!since) return;
  observe::log::Warn("no room for further connections",
                     {{"refused", since->limit},
                      {"refused_for_want_of_descriptors", since->descriptors},
                      {"idle_ones_closed", since->displaced},
                      {"connections_max", descriptors.connections}});
}

}  // namespace weir
