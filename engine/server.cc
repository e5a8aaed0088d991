#include "engine/server.h"

#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <random>
#include <utility>
#include <vector>

#include "engine/admin/known_sources.h"
#include "engine/clock/clock.h"
#include "engine/descriptor_limit.h"
#include "engine/disk_floor.h"
#include "engine/io/ring.h"
#include "engine/limits.h"
#include "engine/observe/log.h"
#include "engine/server_parts.h"
#include "storage/check.h"
#include "storage/memory_shortage.h"

namespace weir {

namespace {

// How often the disk's free space is looked at; between two looks the gate's budget bounds what may come in.
constexpr int kDiskLookMs = 100;
// What a failed store still gets to answer 503 to the requests it holds.
constexpr std::int64_t kFailedDrainMs = 500;
// Beyond the time to drain, for everything that has to end in order after it: then the process ends as it is.
constexpr std::int64_t kLastMomentMs = 800;
constexpr std::int64_t kFailedLastMomentMs = 400;
// For the last lines of the log, where somebody reads them.
constexpr std::int64_t kLogFlushMs = 200;

std::uint64_t RandomSeed() {
  std::random_device device;
  return (std::uint64_t{device()} << 32) | device();
}

std::string AddressText(const config::Address& address) {
  const bool v6 = address.host.find(':') != std::string::npos;
  return (v6 ? "[" + address.host + "]" : address.host) + ":" + std::to_string(address.port);
}

}  // namespace

Server::Server(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Server::~Server() = default;

std::expected<std::unique_ptr<Server>, std::string> Server::Create(config::Config config, Options options) {
  auto signals = Signals::Take();
  if (!signals) return std::unexpected(signals.error());
  auto parts = std::make_unique<Parts>();
  parts->config = std::move(config);
  parts->options = std::move(options);
  parts->signals = std::move(*signals);
  if (!parts->failure_wake.valid() || !parts->capture_wake.valid()) {
    return std::unexpected(std::string(io::EventfdWake::ShortageText()));
  }
  if (auto shared = parts->ShareDescriptors(parts->config); !shared) return std::unexpected(shared.error());

  if (auto probed = parts->ProbeRing(); !probed) return std::unexpected(probed.error());
  if (auto opened = parts->OpenStore(); !opened) return std::unexpected(opened.error());
  auto delivery =
      DeliverySet::Create(parts->partition->store(), parts->config, clock::Read().unix_us,
                          [raw = parts.get()](const storage::StoreError& error) { raw->Fail(error); });
  if (!delivery) return std::unexpected(delivery.error());
  parts->delivery = std::move(*delivery);
  parts->retention = std::make_unique<Retention>(
      Retention::Wiring{.store = parts->partition->store(),
                        .retention_ms = parts->config.server.retention_ms,
                        .sinks = [raw = parts.get()] { return raw->delivery->sinks(); },
                        .probe = parts->retention_probe});
  parts->CreateReload();
  if (auto bound = parts->CreateShards(); !bound) return std::unexpected(bound.error());
  if (auto bound = parts->CreateAdmin(); !bound) return std::unexpected(bound.error());
  return std::unique_ptr<Server>(new Server(std::move(parts)));
}

// Rings are made on the threads that use them, which is too late to refuse to start: a machine that forbids
// io_uring is told so here, before anything is opened.
std::expected<void, std::string> Server::Parts::ProbeRing() {
  constexpr unsigned kProbeEntries = 8;
  const auto ring = io::Ring::Create(kProbeEntries);
  if (!ring) return std::unexpected(ring.error());
  ring_mode = io::RingModeName(ring->mode());
  return {};
}

std::expected<void, std::string> Server::Parts::OpenStore() {
  storage::StoreOptions store_options;
  store_options.directory = config.server.data;
  store_options.accept_data_loss = options.accept_data_loss;
  store_options.sync = config.server.ack == config::AckMode::kFsync;
  store_options.uptime = storage::ReadUptime();
  store_options.memtable_bytes = MemtableBytesFor(config.server.limits.min_free_disk_bytes);
  store_options.on_failure = [this](const storage::StoreError& error) { Fail(error); };
  store_options.on_trouble = [](const storage::StoreTrouble& trouble) {
    const std::string_view part = storage::TroublePartName(trouble.part);
    if (trouble.message.empty()) return observe::log::Info("store works again", {{"part", part}});
    observe::log::Error("store has met an error and goes on", {{"part", part}, {"reason", trouble.message}});
  };
  auto opened = Partition::Open(store_options);
  if (!opened) return std::unexpected(opened.error());
  partition = *std::move(opened);
  partition->store().Tell(storage::ReadClocks());
  LookAtDisk();
  return {};
}

std::expected<void, std::string> Server::Parts::CreateShards() {
  sources = TakeSources(config);
  quarantine = std::make_unique<quarantine::Quarantine>(config.server.data / quarantine::kDirectoryName,
                                                        gate.storable);
  std::vector<commit::AckQueue*> acks;
  config::ServerLimits limits = config.server.limits;
  limits.connections = descriptors.connections;
  for (unsigned i = 0; i < config.server.threads; ++i) {
    shard_probes.push_back(std::make_unique<observe::ShardProbe>());
    auto shard = ingest::Shard::Create(
        {.index = static_cast<std::uint16_t>(i),
         .listen = config.server.listen,
         .limits = limits,
         .ack = config.server.ack,
         .sources = sources,
         .appends = partition->appends(),
         .gate = gate,
         .probe = *shard_probes.back(),
         .seed = RandomSeed(),
         .keep_secret = [this](std::string_view source,
                               std::string_view secret) { return KeepSecret(source, secret); },
         .quarantine = quarantine.get()});
    if (!shard) return std::unexpected(shard.error());
    // Port 0 is the kernel's choice once; every further shard shares what the first one got.
    if (i == 0) config.server.listen = (*shard)->bound();
    shards.push_back(std::move(*shard));
    acks.push_back(&shards.back()->acks());
  }
  readmission = std::make_unique<ingest::Readmission>(
      ingest::Readmission::Wiring{.shard = static_cast<std::uint16_t>(shards.size()),
                                  .appends = partition->appends(),
                                  .gate = gate,
                                  .sources = sources,
                                  .seed = RandomSeed()});
  acks.push_back(&readmission->acks());
  partition->Connect(std::move(acks), [this](const storage::StoreError& error) { Fail(error); });
  partition->SetTails(delivery->tails());
  return {};
}

void Server::Parts::CreateReload() {
  Reload::Wiring wiring{
      .in_force = config,
      .environment = options.environment,
      .delivery = *delivery,
      .sources = [this] { return sources; },
      .fit = [this](config::Config& next) { return ShareDescriptors(next); },
      .use_sources =
          [this](std::shared_ptr<const source::SourceTable> table) { UseSources(std::move(table)); },
      .set_tails = [this](std::vector<commit::TailQueue*> tails) { partition->SetTails(std::move(tails)); },
      .probe = reload_probe};
  reload = std::make_unique<Reload>(std::move(wiring), clock::Read().unix_us);
}

std::expected<void, std::string> Server::Parts::CreateAdmin() {
  admin::Live live{.shards = {},
                   .commit = partition->probe(),
                   .retention = retention_probe,
                   .appends = partition->appends(),
                   .gate = gate,
                   .visit_sinks = [this](const auto& visit) { delivery->VisitProbes(visit); },
                   .submit =
                       [this](std::string_view sink, deliver::DeadLetterAction action) {
                         return delivery->Submit(sink, std::move(action));
                       },
                   .min_free_disk_bytes = config.server.limits.min_free_disk_bytes,
                   .disk_resumes_above_bytes = ResumesAbove(config.server.limits.min_free_disk_bytes),
                   .ring_mode = ring_mode,
                   .started_at_us = clock::Read().unix_us,
                   .quarantine = quarantine.get(),
                   .readmission = readmission.get(),
                   .reload = [this] { return reload->Ask(); },
                   .reloads = &reload_probe};
  for (const auto& probe : shard_probes) live.shards.push_back(probe.get());
  // What cannot be read here is met again by whoever needs it.
  if (auto last = admin::LastReceivedInLog(partition->store(), limits::kAdminScanEventsMax)) {
    live.last_received_before = *std::move(last);
  }
  RememberSources();
  auto created = admin::AdminServer::Create(
      {.store = partition->store(), .data = config.server.data, .live = std::move(live)}, config.admin);
  if (!created) return std::unexpected(created.error());
  admin = std::move(*created);
  return {};
}

// Runs on the thread that met the failure. Nothing is acked from here on: the committer answers "unavailable"
// by itself, the gate turns new requests away before their bodies are read.
void Server::Parts::Fail(const storage::StoreError& error) {
  gate.storable.store(false);
  if (failed.exchange(true)) return;
  observe::log::Error("store failed; stopping without a further ack", {{"reason", error.message}});
  failure_wake.Signal();
}

int Server::Parts::Wait(int timeout_ms) {
  pollfd waits[] = {{.fd = signals->fd(), .events = POLLIN, .revents = 0},
                    {.fd = failure_wake.fd(), .events = POLLIN, .revents = 0},
                    {.fd = capture_wake.fd(), .events = POLLIN, .revents = 0},
                    {.fd = reload->wake_fd(), .events = POLLIN, .revents = 0}};
  if (::poll(waits, std::size(waits), timeout_ms) <= 0) return 0;
  std::uint64_t captures = 0;
  if ((waits[2].revents & POLLIN) != 0 &&
      ::read(capture_wake.fd(), &captures, sizeof captures) == sizeof captures)
    UseCapturedSecrets();
  std::uint64_t reloads = 0;
  if ((waits[3].revents & POLLIN) != 0 &&
      ::read(reload->wake_fd(), &reloads, sizeof reloads) == sizeof reloads) {
    reload->Run(clock::Read().unix_us);
  }
  return signals->Next().value_or(0);
}

// Bottom-up: whoever is handed work is there. The error says which part cannot serve.
std::expected<void, std::string> Server::Parts::Start() {
  delivery->Start();
  if (auto started = retention->Start(); !started) return started;
  if (auto started = partition->Start(); !started) return started;
  if (auto started = quarantine->Start(); !started) return started;
  for (auto& shard : shards) {
    if (auto started = shard->Start(); !started) return started;
  }
  if (auto started = admin->Start(); !started) return started;
  AnnounceDescriptors();
  for (const auto& address : config.server.listen) {
    observe::log::Info("listening", {{"address", AddressText(address)},
                                     {"threads", shards.size()},
                                     {"ring", ring_mode},
                                     {"ack", config.server.ack == config::AckMode::kFsync ? "fsync" : "os"}});
  }
  return {};
}

// Top-down: no new work, answers for what is in flight, then the stages below, the store last. All stages share one
// time to drain, and whoever cannot end by then is ended with the process.
void Server::Parts::Drain(int exit_code) {
  const bool store_failed = failed.load();
  const std::int64_t drain_ms = store_failed ? kFailedDrainMs : config.server.drain_timeout_ms;
  const std::int64_t until_ms = MonotonicMs() + drain_ms;
  const auto left_ms = [until_ms] { return std::max<std::int64_t>(0, until_ms - MonotonicMs()); };
  Signals::EndBy(drain_ms + (store_failed ? kFailedLastMomentMs : kLastMomentMs), exit_code);
  gate.accepting.store(false);
  reload->Close();
  for (auto& shard : shards) shard->RequestStop(drain_ms);
  for (auto& shard : shards) shard->Stop(left_ms());
  quarantine->Stop();
  readmission->Close();
  partition->Stop();
  retention->Stop();
  delivery->Stop(left_ms());
  admin->Stop();
}

int Server::Run() {
  const MustHaveMemory here;
  Parts& parts = *parts_;
  observe::log::Start(observe::log::Level::kInfo);
  for (const std::string& note : parts.partition->store().notes())
    observe::log::Warn("store opened", {{"note", note}});
  const auto started = parts.Start();
  if (started) WaitForMemory();
  if (!started) observe::log::Error("cannot serve", {{"reason", started.error()}});
  while (started) {
    const int signal = parts.Wait(kDiskLookMs);
    if (parts.failed.load()) break;
    if (signal == SIGHUP) parts.reload->Run(clock::Read().unix_us);
    if (signal == SIGUSR1) parts.ReopenLog();
    if (signal == SIGTERM || signal == SIGINT) {
      observe::log::Info("draining", {{"timeout_ms", parts.config.server.drain_timeout_ms}});
      break;
    }
    parts.LookAround();
  }

  const int exit_code = started && !parts.failed.load() ? 0 : 1;
  parts.Drain(exit_code);
  const bool failed = parts.failed.load();
  observe::log::Info("stopped", {{"last_sequence", parts.partition->store().last_sequence()}});
  observe::log::Stop(kLogFlushMs);
  if (failed) {
    // No clean-shutdown mark and no further write through a store whose disk said no.
    std::_Exit(1);
  }
  return exit_code;
}

}  // namespace weir
