#include <chrono>
#include <mutex>
#include <new>
#include <utility>

#include "engine/admin/known_sources.h"
#include "engine/config/captured_secret.h"
#include "engine/descriptor_limit.h"
#include "engine/observe/log.h"
#include "engine/server_parts.h"
#include "engine/source/scheme.h"
#include "storage/memory_shortage.h"

namespace weir {

namespace {

// For a handed-over secret to come into force before its sender is told; its shard waits.
constexpr std::chrono::milliseconds kSecretInForceWithin{1'000};

}  // namespace

std::shared_ptr<const source::SourceTable> TakeSources(config::Config& config) {
  return std::make_shared<const source::SourceTable>(std::move(config.sources));
}

// What is shared out is for the listeners and threads there are; what `next` asks for in their place must be possible
// at a start. Connections past a lower bound stay open, and go one by one as new ones come.
std::expected<void, std::string> Server::Parts::ShareDescriptors(config::Config& next) {
  const std::size_t limit = RaiseDescriptorLimit();
  DescriptorShape shape = ShapeOf(next);
  if (auto boots = BudgetDescriptors(limit, shape); !boots) return std::unexpected(boots.error());
  const DescriptorShape running = ShapeOf(config);
  shape.threads = running.threads;
  shape.listen_addresses = running.listen_addresses;
  shape.admin_listeners = running.admin_listeners;
  shape.connections = running.connections;
  auto budget = BudgetDescriptors(limit, shape);
  if (!budget) return std::unexpected(budget.error());
  for (const std::string& lowered : CapSinks(next, *budget)) {
    observe::log::Warn("too few descriptors; raise the limit of open files (ulimit -n, LimitNOFILE=)",
                       {{"lowered", lowered}});
  }
  descriptors = std::move(*budget);
  gate.connections_max.store(static_cast<std::int64_t>(descriptors.connections));
  gate.refusals_max.store(static_cast<std::int64_t>(descriptors.refusals));
  return {};
}

void Server::Parts::AnnounceDescriptors() const {
  observe::log::Info("descriptors shared out", {{"limit", descriptors.limit},
                                                {"reserved", descriptors.reserved},
                                                {"store_files", descriptors.store_files},
                                                {"sink_connections", descriptors.sink_connections()},
                                                {"connections", descriptors.connections}});
  if (descriptors.connections < config.server.limits.connections) {
    observe::log::Warn(
        "fewer connections than configured: there are not enough descriptors; raise the limit of open "
        "files (ulimit -n, LimitNOFILE=)",
        {{"connections", descriptors.connections},
         {"configured", config.server.limits.connections},
         {"limit", descriptors.limit}});
  }
}

// File sinks need no signal: they look before every write whether their file was moved away.
void Server::Parts::ReopenLog() {
  const std::string problem = observe::log::Reopen();
  if (!problem.empty()) {
    observe::log::Error("the log cannot be opened again and goes on where it went", {{"reason", problem}});
  } else {
    observe::log::Info("log opened again", {{"to_file", observe::log::WritesToFile()}});
  }
}

// For commands that run without a server. What cannot be written now is written at the next start.
void Server::Parts::RememberSources() {
  std::vector<std::string> names;
  for (const source::Source& source : sources->sources()) names.push_back(source.name);
  if (auto saved = admin::RememberSources(partition->store(), names); !saved) {
    observe::log::Error("sources could not be recorded for offline commands",
                        {{"reason", saved.error().message}});
  }
}

namespace {

// Secrets that were handed over and whose files are lost go on as long as the process does.
std::shared_ptr<const source::SourceTable> WithSecretsInMemory(
    std::shared_ptr<const source::SourceTable> next, const source::SourceTable& now) {
  if (std::ranges::none_of(next->sources(), &source::Source::captured_secret_lost)) return next;
  std::vector<source::Source> sources;
  for (const source::Source& source : next->sources()) {
    sources.push_back(source.Clone());
    const source::Source* known = now.Find(source.name);
    if (!source.captured_secret_lost || known == nullptr || known->kind != source.kind) continue;
    const auto captured = std::ranges::find(known->secret_names, source::kCapturedSecretName);
    if (captured == known->secret_names.end()) continue;
    sources.back().secrets.push_back(
        known->secrets[static_cast<std::size_t>(captured - known->secret_names.begin())]);
    sources.back().secret_names.emplace_back(source::kCapturedSecretName);
  }
  return std::make_shared<const source::SourceTable>(std::move(sources));
}

}  // namespace

void Server::Parts::UseSources(std::shared_ptr<const source::SourceTable> table) {
  sources = sources ? WithSecretsInMemory(std::move(table), *sources) : std::move(table);
  RememberSources();
  for (auto& shard : shards) shard->SwapSources(sources);
  readmission->UseSources(sources);
}

// Shards' threads. The file is what counts: the table is rebuilt from it where it may be, on the main thread,
// and so after a restart. The sender is told when every shard has the table: its next request may be an event.
ingest::SecretKept Server::Parts::KeepSecret(std::string_view source, std::string_view secret) {
  const auto kept = config::KeepCapturedSecret(config.server.data, source, secret);
  if (!kept) {
    observe::log::Error("a secret that a sender handed over could not be kept",
                        {{"source", source}, {"error", kept.error()}});
    return ingest::SecretKept::kFailed;
  }
  if (*kept == config::Capture::kTaken) return ingest::SecretKept::kTaken;
  std::unique_lock lock(captures_mutex);
  const std::uint64_t mine = ++captures_kept;
  capture_wake.Signal();
  // Of a main thread that is busy for longer it is told all the same: the secret is durable.
  captures_changed.wait_for(lock, kSecretInForceWithin, [&] { return captures_in_force >= mine; });
  return ingest::SecretKept::kKept;
}

void Server::Parts::UseCapturedSecrets() {
  std::uint64_t kept = 0;
  {
    const std::scoped_lock lock(captures_mutex);
    kept = captures_kept;
  }
  try {
    const MayLackMemory here;
    TakeCapturedSecrets();
  } catch (const std::bad_alloc&) {
    observe::log::Error("no memory to use a secret that a sender handed over; a reload or a restart takes it",
                        {{"data", config.server.data.native()}});
  }
  {
    const std::scoped_lock lock(captures_mutex);
    captures_in_force = kept;
  }
  captures_changed.notify_all();
}

void Server::Parts::TakeCapturedSecrets() {
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
      next.back().secret_names.emplace_back(source::kCapturedSecretName);
      changed = true;
      observe::log::Info("a sender handed over its secret",
                         {{"source", source.name},
                          {"file", config::CapturedSecretPath(config.server.data, source.name).string()}});
    }
  }
  if (changed) UseSources(std::make_shared<const source::SourceTable>(std::move(next)));
}

}  // namespace weir
