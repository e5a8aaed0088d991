// What the admin side may see of the running engine. Everything is read-only for it except dead letters,
// which it changes through the sink's own worker, export cursors in the store's meta, and the quarantine.
//
// Everything referred to lives until AdminServer::Stop has returned. Every function is called from the admin
// server's threads, several at once, and must not block for long.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/commit/queues.h"
#include "engine/deliver/worker.h"
#include "engine/ingest/readmission.h"
#include "engine/ingest/shard.h"
#include "engine/observe/probe.h"
#include "engine/observe/reload_probe.h"
#include "engine/observe/retention_probe.h"
#include "engine/observe/shard_probe.h"
#include "engine/observe/sink_probe.h"
#include "engine/quarantine/quarantine.h"
#include "storage/event_store.h"

namespace weir::admin {

// The parts only a running server has.
struct Live {
  std::vector<const observe::ShardProbe*> shards;
  const observe::CommitProbe& commit;
  const observe::RetentionProbe& retention;
  const commit::AppendQueue& appends;
  const ingest::Gate& gate;
  // Calls its argument for every sink's probe; the reference is not kept.
  std::function<void(const std::function<void(const observe::SinkProbe&)>&)> visit_sinks;
  // Hands an action to the sink's worker; false if no such sink runs.
  std::function<bool(std::string_view sink, deliver::DeadLetterAction action)> submit;
  std::uint64_t min_free_disk_bytes = 0;
  std::uint64_t disk_resumes_above_bytes = 0;  // once stored nothing any more
  std::string ring_mode;                       // as logged at start
  // By source: when the newest event that was there at the start had been received; Unix time, microseconds.
  std::map<std::string, std::int64_t> last_received_before = {};
  std::int64_t started_at_us = 0;  // Unix time, microseconds
  // Both or neither; nullptr where there is no shard whose refusals could be kept.
  quarantine::Quarantine* quarantine = nullptr;
  ingest::Readmission* readmission = nullptr;
  // Has the configuration read again and waits for what became of it; nullopt when the server stops first.
  std::function<std::optional<observe::ReloadReport>()> reload = {};
  const observe::ReloadProbe* reloads = nullptr;
};

struct Wiring {
  storage::EventStore& store;
  std::filesystem::path data;  // the store's directory
  std::optional<Live> live;    // nullopt: an operator command opened the store itself
};

}  // namespace weir::admin
