// Who may hold how many of the process's descriptors: so that senders who only hold connections open can never
// take the one that the store needs for its next file. Pure: a limit and the shape of a configuration in,
// numbers out.
//
// What cannot be done without is set aside first, and a sixth of all for the store's open tables; what is left is
// shared between senders (two thirds) and the sinks' connections; what one does not want goes to the other.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <vector>

#include "engine/config/config.h"

namespace weir {

// What of a configuration costs descriptors.
struct DescriptorShape {
  std::size_t threads = 1;
  std::size_t listen_addresses = 1;
  std::size_t admin_listeners = 1;  // the socket, and TCP
  std::size_t connections = 0;      // [server.limits] connections
  std::size_t file_sinks = 0;
  std::vector<std::size_t> http_sinks = {};  // concurrency of each, in the order of the configuration
};
DescriptorShape ShapeOf(const config::Config& config);

struct DescriptorBudget {
  std::size_t limit = 0;
  std::size_t reserved = 0;     // process, shards, admin, reload, rotation, the store's log and manifest
  std::size_t store_files = 0;  // RocksDB's max_open_files
  std::size_t connections = 0;  // of senders, all shards together
  std::size_t refusals = 0;     // beyond them, only to be told 503
  std::vector<std::size_t> http_sinks =
      {};  // connections of each, in the order of DescriptorShape::http_sinks

  std::size_t sink_connections() const;
};

// The error is one sentence that says how many are needed at least.
std::expected<DescriptorBudget, std::string> BudgetDescriptors(std::size_t limit,
                                                               const DescriptorShape& shape);

// An HTTP sink opens no more connections than it has descriptors for. Returns what was lowered, a sentence each.
std::vector<std::string> CapSinks(config::Config& config, const DescriptorBudget& budget);

}  // namespace weir
