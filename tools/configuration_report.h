// A configuration as it will run, for people and for programs. Secrets are counted, never shown.
#pragma once

#include <string>

#include "engine/config/config.h"

namespace weir::tools {

std::string ConfigurationText(const config::Config& config);
std::string ConfigurationJson(const config::Config& config);
// {"valid":false,"errors":[{"file","line","column","key","reason"}]}
std::string ErrorsJson(const std::vector<config::ConfigError>& errors);

}  // namespace weir::tools
