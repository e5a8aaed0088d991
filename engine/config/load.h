// TOML file -> Config, or every mistake in it with file, line, key, reason and the allowed range. Secrets are
// resolved here (env:, file:, cred:), so that a configuration that loads is one that can run.
#pragma once

#include <expected>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/config/config.h"

namespace weir::config {

// How env: references are read; the process environment in production.
using Environment = std::function<std::optional<std::string>(const std::string&)>;

// With `running`, for a process that goes on: what the file says must be a configuration that can boot, and sources and
// sinks are then read as they are under the [server] that runs, whose limits and `data` theirs depend on. Of what only
// the new [server] makes possible the error says that it takes a restart.
std::expected<Config, std::vector<ConfigError>> Load(const std::filesystem::path& file,
                                                     const Environment& environment,
                                                     const Server* running = nullptr);
std::expected<Config, std::vector<ConfigError>> Parse(std::string_view text,
                                                      const std::filesystem::path& name_for_errors,
                                                      const Environment& environment,
                                                      const Server* running = nullptr);

}  // namespace weir::config
