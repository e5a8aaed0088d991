// The inside of the running program, between the files that make it up. Internal to engine/server*.cc.
//
//   server.cc          made bottom-up, run, stopped top-down
//   server_watch.cc    what the main thread looks at while everything runs
//   server_changes.cc  what changes at run time: shares of descriptors, sources, captured secrets, the log's file
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <expected>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/admin/admin_server.h"
#include "engine/connection_watch.h"
#include "engine/delivery_set.h"
#include "engine/descriptor_budget.h"
#include "engine/ingest/keep_secret.h"
#include "engine/ingest/readmission.h"
#include "engine/ingest/shard.h"
#include "engine/io/wake.h"
#include "engine/observe/probe.h"
#include "engine/observe/reload_probe.h"
#include "engine/observe/retention_probe.h"
#include "engine/observe/shard_probe.h"
#include "engine/partition.h"
#include "engine/quarantine/quarantine.h"
#include "engine/redelivery_watch.h"
#include "engine/refusal_watch.h"
#include "engine/reload.h"
#include "engine/retention.h"
#include "engine/server.h"
#include "engine/signals.h"
#include "storage/event_store.h"

namespace weir {

struct Server::Parts {
  config::Config config;  // its sources have moved to the table
  Options options;

  std::unique_ptr<Partition> partition;
  ingest::Gate gate;
  std::unique_ptr<quarantine::Quarantine> quarantine;
  std::unique_ptr<ingest::Readmission> readmission;
  std::vector<std::unique_ptr<observe::ShardProbe>> shard_probes;
  std::vector<std::unique_ptr<ingest::Shard>> shards;
  std::unique_ptr<DeliverySet> delivery;
  std::unique_ptr<Reload> reload;
  observe::ReloadProbe reload_probe;
  observe::RetentionProbe retention_probe;
  std::unique_ptr<Retention> retention;
  std::unique_ptr<admin::AdminServer> admin;

  std::optional<Signals> signals;
  DescriptorBudget descriptors;
  ConnectionWatch connection_watch;
  RefusalWatch refusals;
  RedeliveryWatch redeliveries;
  std::int64_t refusals_looked_at_ms = 0;
  std::string ring_mode;
  std::shared_ptr<const source::SourceTable> sources;  // in force
  io::EventfdWake failure_wake;
  io::EventfdWake capture_wake;
  // Handed-over secrets, counted: a shard tells its sender of one when it is in force.
  std::mutex captures_mutex;
  std::condition_variable captures_changed;
  std::uint64_t captures_kept = 0;      // under captures_mutex
  std::uint64_t captures_in_force = 0;  // likewise
  std::atomic<bool> failed{false};
  bool disk_said_no = false;
  std::int64_t disk_judged_ms = 0;  // storage::DiskReading::monotonic_ms of the reading last judged

  std::expected<void, std::string> ShareDescriptors(config::Config& next);
  void AnnounceDescriptors() const;
  std::expected<void, std::string> ProbeRing();
  std::expected<void, std::string> OpenStore();
  std::expected<void, std::string> CreateShards();
  void CreateReload();
  std::expected<void, std::string> CreateAdmin();
  void Fail(const storage::StoreError& error);
  void LookAround();
  void LookAtDisk();
  void LookAtCommits();
  void LookAtConnections();
  void LookAtRefusals();
  void ReopenLog();
  ingest::SecretKept KeepSecret(std::string_view source, std::string_view secret);
  void UseCapturedSecrets();
  void TakeCapturedSecrets();
  void RememberSources();
  void UseSources(std::shared_ptr<const source::SourceTable> table);
  std::expected<void, std::string> Start();
  void Drain(int exit_code);
  // Waits for a signal, a failure, a captured secret or the next look at the disk. Returns the signal, or 0.
  int Wait(int timeout_ms);
};

std::int64_t MonotonicMs();
std::shared_ptr<const source::SourceTable> TakeSources(config::Config& config);

}  // namespace weir
