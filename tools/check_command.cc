#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <iterator>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <system_error>
#include <vector>

#include "engine/clock/clock.h"
#include "engine/config/quantity.h"
#include "engine/config/start.h"
#include "engine/deliver/sink_start.h"
#include "engine/sink/check_target.h"
#include "storage/data_directory.h"
#include "storage/disk.h"
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

// What a look beyond the file finds: whether what `serve` opens can be opened, and where the sinks begin that the store
// has not seen. Nothing is created.
class Surroundings {
 public:
  explicit Surroundings(const config::Config& config) : config_(config) {
    LookAtData();
    for (std::size_t i = 0; i < config_.sinks.size(); ++i) LookAtTarget(i);
    LookAtStarts();
  }

  const std::vector<config::ConfigError>& errors() const { return errors_; }
  const std::vector<config::ConfigError>& warnings() const { return warnings_; }
  const std::vector<std::string>& notes() const { return notes_; }

 private:
  config::ConfigError Finding(const config::Place& place, std::string reason) const {
    return {.file = config_.file.string(),
            .line = place.line,
            .column = place.column,
            .key = place.key,
            .reason = std::move(reason)};
  }

  void LookAtData() {
    const storage::Disk& disk = *storage::MachineDisk();
    const std::filesystem::path& data = config_.server.data;
    const auto there = storage::MayEnterDirectory(disk, data);
    if (!there) return errors_.push_back(Finding(config_.data_place, there.error()));
    const auto free_bytes = disk.FreeBytes(*there);
    const std::uint64_t floor_bytes = config_.server.limits.min_free_disk_bytes;
    if (!free_bytes || *free_bytes >= floor_bytes) return;
    warnings_.push_back(Finding(config_.data_place, "lies on a disk with " + config::FormatSize(*free_bytes) +
                                                        " left, less than min_free_disk (" +
                                                        config::FormatSize(floor_bytes) +
                                                        "): events would be refused"));
  }

  void LookAtTarget(std::size_t i) {
    if (const auto checked = sink::CheckTarget(config_.sinks[i]); !checked) {
      errors_.push_back(Finding(config_.sink_places[i].target, "cannot be opened: " + checked.error()));
    }
  }

  // A store that cannot be asked is said, and is no mistake of the file.
  void LookAtStarts() {
    std::error_code ignored;
    if (!std::filesystem::exists(config_.server.data / "store", ignored)) {
      for (std::size_t i = 0; i < config_.sinks.size(); ++i) {
        if (deliver::LiesInFuture(config_.sinks[i].start, clock::Read().unix_us)) {
          errors_.push_back(Finding(config_.sink_places[i].start, "lies in the future"));
        }
      }
      return;
    }
    auto client = OperatorClient::Open(config_.server.data, Access::kRead);
    if (!client) return notes_.push_back("where new sinks start is not known: " + client.error().message);
    for (std::size_t i = 0; i < config_.sinks.size(); ++i) LookAtStart(**client, i);
  }

  void LookAtStart(OperatorClient& client, std::size_t i) {
    const config::Sink& sink = config_.sinks[i];
    const auto reply =
        client.Get("/sinks/start", {{"sink", sink.name}, {"start", config::FormatStart(sink.start)}});
    if (!reply && reply.error().exit_code == kUsage) {
      return errors_.push_back(Finding(config_.sink_places[i].start, reply.error().message));
    }
    if (!reply) {
      return notes_.push_back("where sink " + sink.name + " starts is not known: " + reply.error().message);
    }
    const auto json = nlohmann::json::parse(reply->body);
    const auto note = json["note"].get<std::string>();
    if (!json["known"].get<bool>() && !note.empty()) notes_.push_back(note);
  }

  const config::Config& config_;
  std::vector<config::ConfigError> errors_;
  std::vector<config::ConfigError> warnings_;
  std::vector<std::string> notes_;
};

int Check(const CheckOptions& options) {
  auto config = config::Load(options.config, ProcessEnvironment());
  if (!config) {
    PrintFindings(config.error());
    if (options.json) Print(ErrorsJson(config.error()));
    return Finish(kUsage);
  }
  std::vector<std::string> notes;
  if (!options.offline) {
    const Surroundings found(*config);
    std::ranges::copy(found.warnings(), std::back_inserter(config->warnings));
    if (!found.errors().empty()) {
      PrintFindings(found.errors());
      if (options.json) Print(ErrorsJson(found.errors()));
      return Finish(kUsage);
    }
    notes = found.notes();
  }
  PrintWarnings(config->warnings);
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
