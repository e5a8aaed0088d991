#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>

#include "engine/config/load.h"
#include "engine/server.h"
#include "storage/memory_shortage.h"
#include "tools/commands.h"

namespace weir::tools {

namespace {

struct ServeOptions {
  std::string config;
  bool accept_data_loss = false;
};

std::optional<std::string> ReadEnvironment(const std::string& name) {
  const char* value =
      std::getenv(name.c_str());  // NOLINT(concurrency-mt-unsafe): nothing writes the environment
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

int Serve(const ServeOptions& options) {
  auto config = config::Load(options.config, ReadEnvironment);
  if (!config) {
    for (const auto& error : config.error()) std::fprintf(stderr, "%s\n", config::ToString(error).c_str());
    return kUsage;
  }
  EndWithoutMemory();
  auto server = Server::Create(
      std::move(*config), {.accept_data_loss = options.accept_data_loss, .environment = ReadEnvironment});
  if (!server) {
    std::fprintf(stderr, "weir: cannot serve: %s\n", server.error().c_str());
    return kFoundWrong;
  }
  return (*server)->Run();
}

}  // namespace

void AddServeCommand(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<ServeOptions>();
  CLI::App* command = app.add_subcommand("serve",
                                         "Run until SIGTERM or SIGINT, then drain; a second one ends at "
                                         "once. SIGHUP reloads, SIGUSR1 opens the log again");
  command->footer("Example:\n  weir serve --config weir.toml");
  command->add_option("--config", options->config, "Configuration file (TOML)")->required();
  command->add_flag("--accept-data-loss", options->accept_data_loss,
                    "Serve a store whose audit found missing events; the gap is recorded");
  command->callback([options, &exit_code] { exit_code = Serve(*options); });
}

}  // namespace weir::tools
