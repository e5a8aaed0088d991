#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <system_error>
#include <vector>

#include "engine/config/start.h"
#include "engine/sink/check_target.h"
#include "tools/commands.h"
#include "tools/config_file.h"
#include "tools/configuration_report.h"
#include "tools/operator_client.h"
#include "tools/standard_output.h"

namespace weir::tools {
namespace {

struct CheckOptions {
  std::string config;
  bool json = false;
  bool offline = false;
};

// What the file cannot show: whether the sinks can be opened. Nothing is created.
std::vector<config::ConfigError> CheckSinks(const config::Config& config) {
  std::vector<config::ConfigError> errors;
  for (std::size_t i = 0; i < config.sinks.size(); ++i) {
    const auto checked = sink::CheckTarget(config.sinks[i]);
    if (checked) continue;
    const config::Place& place = config.sink_targets[i];
    errors.push_back({.file = config.file.string(),
                      .line = place.line,
                      .column = place.column,
                      .key = place.key,
                      .reason = "cannot be opened: " + checked.error()});
  }
  return errors;
}

// Where the sinks begin that the store has not seen. A store that cannot be asked is said, and is no mistake of the
// file.
std::vector<std::string> StartsOfNewSinks(const config::Config& config) {
  std::error_code ignored;
  if (!std::filesystem::exists(config.server.data / "store", ignored)) return {};
  auto client = OperatorClient::Open(config.server.data, Access::kRead);
  if (!client) return {"where new sinks start is not known: " + client.error().message};
  std::vector<std::string> notes;
  for (const config::Sink& sink : config.sinks) {
    const auto reply =
        (*client)->Get("/sinks/start", {{"sink", sink.name}, {"start", config::FormatStart(sink.start)}});
    if (!reply) {
      notes.push_back("where sink " + sink.name + " starts is not known: " + reply.error().message);
      continue;
    }
    const auto json = nlohmann::json::parse(reply->body);
    const auto note = json["note"].get<std::string>();
    if (!json["known"].get<bool>() && !note.empty()) notes.push_back(note);
  }
  return notes;
}

int Check(const CheckOptions& options) {
  const auto config = config::Load(options.config, ProcessEnvironment());
  if (!config) {
    PrintFindings(config.error());
    if (options.json) Print(ErrorsJson(config.error()));
    return Finish(kUsage);
  }
  PrintWarnings(config->warnings);
  std::vector<std::string> notes;
  if (!options.offline) {
    if (const auto errors = CheckSinks(*config); !errors.empty()) {
      PrintFindings(errors);
      if (options.json) Print(ErrorsJson(errors));
      return Finish(kUsage);
    }
    notes = StartsOfNewSinks(*config);
  }
  Print(options.json ? ConfigurationJson(*config, notes) : ConfigurationText(*config, notes));
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
  command->add_flag("--offline", options->offline, "Look at the file only: neither sinks nor the store");
  command->add_flag("--json", options->json, "JSON instead of text");
  command->callback([options, &exit_code] { exit_code = Check(*options); });
}

}  // namespace weir::tools
