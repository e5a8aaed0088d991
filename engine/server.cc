#include "engine/server.h"

#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <random>
#include <utility>
#include <vector>

#include "engine/admin/admin_server.h"
#include "engine/clock/clock.h"
#include "engine/commit/committer.h"
#include "engine/config/captured_secret.h"
#include "engine/delivery_set.h"
#include "engine/disk_floor.h"
#include "engine/ingest/readmission.h"
#include "engine/ingest/shard.h"
#include "engine/io/ring.h"
#include "engine/io/wake.h"
#include "engine/observe/log.h"
#include "engine/observe/probe.h"
#include "engine/observe/reload_probe.h"
#include "engine/observe/shard_probe.h"
#include "engine/quarantine/quarantine.h"
#include "engine/reload.h"
#include "engine/retention.h"
#include "engine/source/scheme.h"
#include "storage/check.h"
#include "storage/event_store.h"

namespace weir {

namespace {

// How often the disk's free space is looked at; between two looks the gate's budget bounds what may come in.
constexpr int kDiskLookMs = 100;
// What a failed store still gets to answer 503 to the requests it holds.
constexpr std::int64_t kFailedDrainMs = 500;

std::uint64_t RandomSeed() {
  std::random_device device;
  return (std::uint64_t{device()} << 32) | device();
}

std::string AddressText(const config::Address& address) {
  const bool v6 = address.host.find(':') != std::string::npos;
  return (v6 ? "[" + address.host + "]" : address.host) + ":" + std::to_string(address.port);
}

sigset_t HandledSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&signals, signal);
  return signals;
}

std::shared_ptr<const source::SourceTable> TakeSources(config::Config& config) {
  return std::make_shared<const source::SourceTable>(std::move(config.sources));
}

}  // namespace

struct Server::Parts {
  config::Config config;  // its sources have moved to the table
  Options options;

  std::unique_ptr<storage::EventStore> store;
  ingest::Gate gate;
  commit::AppendQueue appends;
  observe::CommitProbe commit_probe;
  std::unique_ptr<quarantine::Quarantine> quarantine;
  std::unique_ptr<ingest::Readmission> readmission;
  std::unique_ptr<commit::Committer> committer;
  std::vector<std::unique_ptr<observe::ShardProbe>> shard_probes;
  std::vector<std::unique_ptr<ingest::Shard>> shards;
  std::unique_ptr<DeliverySet> delivery;
  std::unique_ptr<Reload> reload;
  observe::ReloadProbe reload_probe;
  observe::RetentionProbe retention_probe;
  std::unique_ptr<Retention> retention;
  std::unique_ptr<admin::AdminServer> admin;

  std::string ring_mode;
  std::shared_ptr<const source::SourceTable> sources;  // in force
  io::EventfdWake failure_wake;
  io::EventfdWake capture_wake;
  std::atomic<bool> failed{false};
  int signal_fd = -1;
  bool disk_said_no = false;

  ~Parts() {
    if (signal_fd >= 0) ::close(signal_fd);
  }

  std::expected<void, std::string> ProbeRing();
  std::expected<void, std::string> OpenStore();
  std::expected<void, std::string> CreateShards();
  void CreateReload();
  std::expected<void, std::string> CreateAdmin();
  void Fail(const storage::StoreError& error);
  void LookAtDisk();
  ingest::SecretKept KeepSecret(std::string_view source, std::string_view secret);
  void UseCapturedSecrets();
  void UseSources(std::shared_ptr<const source::SourceTable> table);
  bool Start();
  void Drain();
  // Waits for a signal, a failure, a captured secret or the next look at the disk. Returns the signal, or 0.
  int Wait(int timeout_ms);
};

Server::Server(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Server::~Server() = default;

std::expected<std::unique_ptr<Server>, std::string> Server::Create(config::Config config, Options options) {
  const sigset_t signals = HandledSignals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
  ::signal(SIGXFSZ, SIG_IGN);  // a file-size limit is then an error of the write, which the store reports

  auto parts = std::make_unique<Parts>();
  parts->config = std::move(config);
  parts->options = std::move(options);
  parts->signal_fd = ::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
  if (parts->signal_fd < 0) return std::unexpected(std::string("signalfd: ") + std::strerror(errno));

  if (auto probed = parts->ProbeRing(); !probed) return std::unexpected(probed.error());
  if (auto opened = parts->OpenStore(); !opened) return std::unexpected(opened.error());
  auto delivery =
      DeliverySet::Create(*parts->store, parts->config, clock::Read().unix_us,
                          [raw = parts.get()](const storage::StoreError& error) { raw->Fail(error); });
  if (!delivery) return std::unexpected(delivery.error());
  parts->delivery = std::move(*delivery);
  parts->retention = std::make_unique<Retention>(
      Retention::Wiring{.store = *parts->store,
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
  auto opened = storage::EventStore::Open(store_options);
  if (!opened) return std::unexpected(opened.error().message);
  store = std::move(*opened);
  store->Tell(storage::ReadClocks());
  LookAtDisk();
  return {};
}

std::expected<void, std::string> Server::Parts::CreateShards() {
  sources = TakeSources(config);
  quarantine = std::make_unique<quarantine::Quarantine>(config.server.data / quarantine::kDirectoryName,
                                                        gate.storable);
  std::vector<commit::AckQueue*> acks;
  config::ServerLimits limits = config.server.limits;
  limits.connections = std::max<std::size_t>(1, limits.connections / config.server.threads);
  for (unsigned i = 0; i < config.server.threads; ++i) {
    shard_probes.push_back(std::make_unique<observe::ShardProbe>());
    auto shard = ingest::Shard::Create(
        {.index = static_cast<std::uint16_t>(i),
         .listen = config.server.listen,
         .limits = limits,
         .ack = config.server.ack,
         .sources = sources,
         .appends = appends,
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
                                  .appends = appends,
                                  .gate = gate,
                                  .sources = sources,
                                  .seed = RandomSeed()});
  acks.push_back(&readmission->acks());
  committer = std::make_unique<commit::Committer>(
      commit::Committer::Wiring{.store = *store,
                                .appends = appends,
                                .shards = std::move(acks),
                                .probe = commit_probe,
                                .on_failure = [this](const storage::StoreError& error) { Fail(error); }});
  committer->SetTails(delivery->tails());
  return {};
}

void Server::Parts::CreateReload() {
  Reload::Wiring wiring{
      .in_force = config,
      .environment = options.environment,
      .delivery = *delivery,
      .sources = [this] { return sources; },
      .use_sources =
          [this](std::shared_ptr<const source::SourceTable> table) { UseSources(std::move(table)); },
      .set_tails = [this](std::vector<commit::TailQueue*> tails) { committer->SetTails(std::move(tails)); },
      .probe = reload_probe};
  reload = std::make_unique<Reload>(std::move(wiring), clock::Read().unix_us);
}

std::expected<void, std::string> Server::Parts::CreateAdmin() {
  admin::Live live{.shards = {},
                   .commit = commit_probe,
                   .retention = retention_probe,
                   .appends = appends,
                   .gate = gate,
                   .visit_sinks = [this](const auto& visit) { delivery->VisitProbes(visit); },
                   .submit =
                       [this](std::string_view sink, deliver::DeadLetterAction action) {
                         return delivery->Submit(sink, std::move(action));
                       },
                   .min_free_disk_bytes = config.server.limits.min_free_disk_bytes,
                   .ring_mode = ring_mode,
                   .started_at_us = clock::Read().unix_us,
                   .quarantine = quarantine.get(),
                   .readmission = readmission.get(),
                   .reload = [this] { return reload->Ask(); },
                   .reloads = &reload_probe};
  for (const auto& probe : shard_probes) live.shards.push_back(probe.get());
  auto created = admin::AdminServer::Create(
      {.store = *store, .data = config.server.data, .live = std::move(live)}, config.admin);
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

void Server::Parts::LookAtDisk() {
  struct statvfs disk{};
  if (failed.load() || ::statvfs(config.server.data.c_str(), &disk) != 0) return;
  const std::uint64_t free_bytes = std::uint64_t{disk.f_bavail} * disk.f_frsize;
  const DiskVerdict verdict = JudgeDisk(free_bytes, config.server.limits.min_free_disk_bytes, !disk_said_no);
  gate.disk_budget_bytes.store(verdict.budget_bytes);
  gate.storable.store(verdict.storable);
  store->AllowSettlements(verdict.settlement_bytes);
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

void Server::Parts::UseSources(std::shared_ptr<const source::SourceTable> table) {
  sources = std::move(table);
  for (auto& shard : shards) shard->SwapSources(sources);
  readmission->UseSources(sources);
}

// Shards' threads. The file is what counts: the table is rebuilt from it where it may be, on the main thread,
// and so after a restart.
ingest::SecretKept Server::Parts::KeepSecret(std::string_view source, std::string_view secret) {
  const auto kept = config::KeepCapturedSecret(config.server.data, source, secret);
  if (!kept) {
    observe::log::Error("a secret that a sender handed over could not be kept",
                        {{"source", source}, {"error", kept.error()}});
    return ingest::SecretKept::kFailed;
  }
  if (*kept == config::Capture::kTaken) return ingest::SecretKept::kTaken;
  capture_wake.Signal();
  return ingest::SecretKept::kKept;
}

void Server::Parts::UseCapturedSecrets() {
  std::vector<source::Source> next;
  bool changed = false;
  for (const source::Source& source : sources->sources()) {
    next.push_back(source.Clone());
    if (!source.secrets.empty() || !source::TakesSecretByHandshake(*source.scheme)) continue;
    auto secret = config::ReadCapturedSecret(config.server.data, source.name);
    if (!secret) {
      observe::log::Error("a secret that a sender handed over cannot be read",
                          {{"source", source.name}, {"error", secret.error()}});
    } else if (*secret) {
      next.back().secrets.push_back(**std::move(secret));
      changed = true;
      observe::log::Info("a sender handed over its secret",
                         {{"source", source.name},
                          {"file", config::CapturedSecretPath(config.server.data, source.name).string()}});
    }
  }
  if (changed) UseSources(std::make_shared<const source::SourceTable>(std::move(next)));
}

int Server::Parts::Wait(int timeout_ms) {
  pollfd waits[] = {{.fd = signal_fd, .events = POLLIN, .revents = 0},
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
  signalfd_siginfo info{};
  if (::read(signal_fd, &info, sizeof info) != sizeof info) return 0;
  return static_cast<int>(info.ssi_signo);
}

// Bottom-up: whoever is handed work is there. False when a shard cannot serve.
bool Server::Parts::Start() {
  delivery->Start();
  retention->Start();
  committer->Start();
  quarantine->Start();
  for (auto& shard : shards) {
    if (const auto started = shard->Start(); !started) {
      observe::log::Error("a shard cannot serve", {{"reason", started.error()}});
      return false;
    }
  }
  admin->Start();
  for (const auto& address : config.server.listen) {
    observe::log::Info("listening", {{"address", AddressText(address)},
                                     {"threads", shards.size()},
                                     {"ring", ring_mode},
                                     {"ack", config.server.ack == config::AckMode::kFsync ? "fsync" : "os"}});
  }
  return true;
}

// Top-down: no new work, answers for what is in flight, then the stages below, the store last.
void Server::Parts::Drain() {
  const std::int64_t drain_ms = failed.load() ? kFailedDrainMs : config.server.drain_timeout_ms;
  gate.accepting.store(false);
  reload->Close();
  for (auto& shard : shards) shard->Stop(drain_ms);
  quarantine->Stop();
  readmission->Close();
  committer->Stop();
  retention->Stop();
  delivery->Stop(drain_ms);
  admin->Stop();
}

int Server::Run() {
  Parts& parts = *parts_;
  observe::log::Start(observe::log::Level::kInfo);
  for (const std::string& note : parts.store->notes()) observe::log::Warn("store opened", {{"note", note}});
  const bool serving = parts.Start();
  while (serving) {
    const int signal = parts.Wait(kDiskLookMs);
    if (parts.failed.load()) break;
    if (signal == SIGHUP) parts.reload->Run(clock::Read().unix_us);
    if (signal == SIGTERM || signal == SIGINT) {
      observe::log::Info("draining", {{"timeout_ms", parts.config.server.drain_timeout_ms}});
      break;
    }
    parts.LookAtDisk();
  }

  parts.Drain();
  const bool failed = parts.failed.load();
  observe::log::Info("stopped", {{"last_sequence", parts.store->last_sequence()}});
  observe::log::Flush();
  if (failed) {
    // No clean-shutdown mark and no further write through a store whose disk said no.
    std::_Exit(1);
  }
  return serving ? 0 : 1;
}

}  // namespace weir
