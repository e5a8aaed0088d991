#include "engine/descriptor_budget.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <span>

#include "engine/limits.h"
#include "storage/open_files.h"

namespace weir {
namespace {

// Standard streams, signals, the wakes of main thread and readmission, the quarantine's file and directory, a
// captured secret, and /proc when metrics are read.
constexpr std::size_t kProcess = 12;
constexpr std::size_t kPerShard = 3;  // ring, wake, the one kept for refusing
// A listening socket, the connections being answered and waiting, and the one that waits to be let in.
constexpr std::size_t kPerAdminListener = 1 + limits::kAdminThreads + limits::kAdminWaitingMax + 1;
// Configuration, secrets and certificates are read one after the other; a new sink opens before the old goes.
constexpr std::size_t kReload = 8;
constexpr std::size_t kPerFileSink = 4;  // wake, file, its next piece, the directory that is synced
constexpr std::size_t kPerHttpSink = 4;  // wake, ring, and the resolver's sockets
// RocksDB beside its tables: two locks, LOG, CURRENT, MANIFEST and log with their successors, the directory, the
// high-water record, what two background jobs write, and the inputs of one that the table cache cannot let go.
constexpr std::size_t kStore = 24;
constexpr std::size_t kConnectionsMin = 8;
constexpr std::size_t kRefusalsPart = 8;  // at most one in this many connections is there to be refused

struct Claim {
  std::size_t want;
  std::size_t weight;
  std::size_t given = 0;
};

// To each what it wants, or by weight where that is too much; what one does not want goes to the others.
void Share(std::size_t rest, std::span<Claim> claims) {
  std::vector<Claim*> open;
  for (Claim& claim : claims) open.push_back(&claim);
  while (!open.empty()) {
    const std::size_t weights =
        std::accumulate(open.begin(), open.end(), std::size_t{0},
                        [](std::size_t sum, const Claim* claim) { return sum + claim->weight; });
    const std::size_t unit = rest / weights;
    const auto modest =
        std::ranges::find_if(open, [&](const Claim* claim) { return claim->want <= unit * claim->weight; });
    if (modest == open.end()) {
      for (Claim* claim : open) claim->given = unit * claim->weight;
      return;
    }
    (*modest)->given = (*modest)->want;
    rest -= (*modest)->want;
    open.erase(modest);
  }
}

std::size_t Reserved(const DescriptorShape& shape) {
  return kProcess + shape.threads * (kPerShard + shape.listen_addresses) +
         shape.admin_listeners * kPerAdminListener + kReload + shape.file_sinks * kPerFileSink +
         shape.http_sinks.size() * kPerHttpSink + kStore;
}

}  // namespace

DescriptorShape ShapeOf(const config::Config& config) {
  DescriptorShape shape{.threads = config.server.threads,
                        .listen_addresses = config.server.listen.size(),
                        .admin_listeners = config.admin.listen ? 2u : 1u,
                        .connections = config.server.limits.connections};
  for (const config::Sink& sink : config.sinks) {
    switch (sink.kind) {
      case config::SinkKind::kHttp:
        shape.http_sinks.push_back(sink.concurrency);
        break;
      case config::SinkKind::kFile:
        ++shape.file_sinks;
        break;
    }
  }
  return shape;
}

std::size_t DescriptorBudget::sink_connections() const {
  return std::accumulate(http_sinks.begin(), http_sinks.end(), std::size_t{0});
}

std::expected<DescriptorBudget, std::string> BudgetDescriptors(std::size_t limit,
                                                               const DescriptorShape& shape) {
  const std::size_t reserved = Reserved(shape);
  const std::size_t store_files = storage::OpenFilesFor(limit);
  const std::size_t without_tables = reserved + shape.http_sinks.size() + kConnectionsMin;
  if (limit < without_tables + store_files) {
    std::size_t least = without_tables + storage::kOpenFilesMin;
    while (least < without_tables + storage::OpenFilesFor(least)) ++least;
    return std::unexpected("the process may open " + std::to_string(limit) + " descriptors and needs " +
                           std::to_string(least) +
                           " at least for this configuration; raise the limit of open files (ulimit -n, "
                           "LimitNOFILE=)");
  }

  const std::size_t refusals_want = shape.threads * limits::kRefusalConnections;
  const std::size_t senders_want = std::max(shape.connections, kConnectionsMin) + refusals_want;
  const std::size_t sinks_want =
      std::accumulate(shape.http_sinks.begin(), shape.http_sinks.end(), std::size_t{0});
  std::array<Claim, 2> claims = {{
      {.want = senders_want - kConnectionsMin, .weight = 2},
      {.want = sinks_want - std::min(sinks_want, shape.http_sinks.size()), .weight = 1},
  }};
  Share(limit - without_tables - store_files, claims);
  const std::size_t senders = kConnectionsMin + claims[0].given;

  DescriptorBudget budget{.limit = limit, .reserved = reserved, .store_files = store_files};
  budget.refusals = std::min(refusals_want, senders / kRefusalsPart);
  budget.connections = std::min(senders - budget.refusals, std::max<std::size_t>(shape.connections, 1));
  std::vector<Claim> sinks;
  sinks.reserve(shape.http_sinks.size());
  for (const std::size_t concurrency : shape.http_sinks)
    sinks.push_back({.want = concurrency - 1, .weight = 1});
  Share(claims[1].given, sinks);
  for (const Claim& sink : sinks) budget.http_sinks.push_back(1 + sink.given);
  return budget;
}

std::vector<std::string> CapSinks(config::Config& config, const DescriptorBudget& budget) {
  std::vector<std::string> lowered;
  auto share = budget.http_sinks.begin();
  for (config::Sink& sink : config.sinks) {
    if (sink.kind != config::SinkKind::kHttp) continue;
    if (*share < sink.concurrency) {
      lowered.push_back("sink \"" + sink.name + "\" has descriptors for " + std::to_string(*share) +
                        " of its " + std::to_string(sink.concurrency) + " attempts at once");
      sink.concurrency = static_cast<decltype(sink.concurrency)>(*share);
    }
    ++share;
  }
  return lowered;
}

}  // namespace weir
