// A configuration as it will run, for people and for programs. Secrets are counted, never shown.
#pragma once

#include <string>
#include <vector>

#include "engine/config/config.h"

namespace weir::tools {

// `notes`: what else there is to say, one sentence each.
std::string ConfigurationText(const config::Config& config, const std::vector<std::string>& notes = {});
std::string ConfigurationJson(const config::Config& config, const std::vector<std::string>& notes = {});
// {"valid":false,"errors":[{"file","line","column","key","reason"}]}
std::string ErrorsJson(const std::vector<config::ConfigError>& errors);

}  // namespace weir::tools
