#include "tools/config_file.h"

#include <cstdio>
#include <cstdlib>
#include <utility>

#include "engine/admin/printable.h"

namespace weir::tools {
namespace {

void PrintLine(const std::string& text) {
  std::fprintf(stderr, "%s\n", admin::PrintableSentence(text).c_str());
}

}  // namespace

config::Environment ProcessEnvironment() {
  return [](const std::string& name) -> std::optional<std::string> {
    const char* value = std::getenv(name.c_str());
    return value == nullptr ? std::nullopt : std::optional<std::string>(value);
  };
}

void PrintFindings(const std::vector<config::ConfigError>& errors) {
  for (const config::ConfigError& error : errors) PrintLine(config::ToString(error));
}

void PrintWarnings(const std::vector<config::ConfigError>& warnings) {
  for (config::ConfigError warning : warnings) {
    warning.reason.insert(0, "warning: ");
    PrintLine(config::ToString(warning));
  }
}

std::optional<config::Config> LoadOrReport(const std::string& file) {
  auto config = config::Load(file, ProcessEnvironment());
  if (config) return std::move(*config);
  PrintFindings(config.error());
  return std::nullopt;
}

}  // namespace weir::tools
