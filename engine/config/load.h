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

std::expected<Config, std::vector<ConfigError>> Load(const std::filesystem::path& file,
                                                     const Environment& environment);
std::expected<Config, std::vector<ConfigError>> Parse(std::string_view text,
                                                      const std::filesystem::path& name_for_errors,
                                                      const Environment& environment);

}  // namespace weir::config
