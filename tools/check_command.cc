#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "tools/commands.h"
#include "tools/config_file.h"
#include "tools/configuration_report.h"
#include "tools/standard_output.h"

namespace weir::tools {
namespace {

struct CheckOptions {
  std::string config;
  bool json = false;
};

int Check(const CheckOptions& options) {
  const auto config = config::Load(options.config, ProcessEnvironment());
  if (!config) {
    PrintFindings(config.error());
    if (options.json) Print(ErrorsJson(config.error()));
    return Finish(kUsage);
  }
  PrintWarnings(config->warnings);
  Print(options.json ? ConfigurationJson(*config) : ConfigurationText(*config));
  return Finish(kDone);
}

}  // namespace

void AddCheckCommand(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<CheckOptions>();
  CLI::App* command = app.add_subcommand("check", "Validate a configuration and print what would run");
  command->footer(
      "Exits 0 when the configuration can run, 2 with one line a mistake on stderr when it cannot:\n"
      "  weir.toml:12: source[0].tolerance: 5 is an integer; expected a duration with its unit\n\n"
      "Example:\n  weir check --config weir.toml");
  command->add_option("--config", options->config, "Configuration file (TOML)")->required();
  command->add_flag("--json", options->json, "JSON instead of text");
  command->callback([options, &exit_code] { exit_code = Check(*options); });
}

}  // namespace weir::tools
