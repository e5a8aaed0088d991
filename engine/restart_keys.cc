#include "engine/restart_keys.h"

#include <string_view>

namespace weir {

std::vector<std::string> KeysThatDiffer(const config::Server& server, const config::Admin& admin,
                                        const config::Server& next_server, const config::Admin& next_admin) {
  std::vector<std::string> keys;
  const auto compare = [&keys](std::string_view key, const auto& before, const auto& after) {
    if (before != after) keys.emplace_back(key);
  };
  compare("server.listen", server.listen, next_server.listen);
  compare("server.data", server.data, next_server.data);
  compare("server.threads", server.threads, next_server.threads);
  compare("server.ack", server.ack, next_server.ack);
  compare("server.drain_timeout", server.drain_timeout_ms, next_server.drain_timeout_ms);
  compare("server.retention", server.retention_ms, next_server.retention_ms);
  const config::ServerLimits& limits = server.limits;
  const config::ServerLimits& next_limits = next_server.limits;
  compare("server.limits.body", limits.body_bytes, next_limits.body_bytes);
  compare("server.limits.headers", limits.header_bytes, next_limits.header_bytes);
  compare("server.limits.connections", limits.connections, next_limits.connections);
  compare("server.limits.header_timeout", limits.header_timeout_ms, next_limits.header_timeout_ms);
  compare("server.limits.body_timeout", limits.body_timeout_ms, next_limits.body_timeout_ms);
  compare("server.limits.idle_timeout", limits.idle_timeout_ms, next_limits.idle_timeout_ms);
  compare("server.limits.inflight_bytes", limits.inflight_bytes, next_limits.inflight_bytes);
  compare("server.limits.min_free_disk", limits.min_free_disk_bytes, next_limits.min_free_disk_bytes);
  // A key that has no line here is still told.
  if (keys.empty()) compare("server", server, next_server);
  compare("admin.listen", admin.listen, next_admin.listen);
  compare("admin.token", admin.token, next_admin.token);
  return keys;
}

}  // namespace weir
