// What commands that read a configuration have in common: the process's environment, and saying what is wrong
// with a file.
#pragma once

#include <optional>
#include <string>

#include "engine/config/load.h"

namespace weir::tools {

config::Environment ProcessEnvironment();

// One line a finding on stderr: "file:line: key: reason".
void PrintFindings(const std::vector<config::ConfigError>& errors);
void PrintWarnings(const std::vector<config::ConfigError>& warnings);

// nullopt after the errors were printed; the command then exits with kUsage.
std::optional<config::Config> LoadOrReport(const std::string& file);

}  // namespace weir::tools
