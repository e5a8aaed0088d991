// The program's entry: its commands, and nothing else. What each does is in tools/NAME_command.cc.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <new>
#include <string>
#include <system_error>
#include <vector>

#include "engine/config/suggest.h"
#include "storage/memory_shortage.h"
#include "tools/commands.h"

namespace {

void AddCommands(CLI::App& app, int& exit_code) {
  weir::tools::AddServeCommand(app, exit_code);
  weir::tools::AddCheckCommand(app, exit_code);
  weir::tools::AddReloadCommand(app, exit_code);
  weir::tools::AddKindsCommand(app, exit_code);
  weir::tools::AddSignCommand(app, exit_code);
  weir::tools::AddSendCommand(app, exit_code);
  weir::tools::AddExplainCommand(app, exit_code);
  weir::tools::AddStatusCommand(app, exit_code);
  weir::tools::AddSourcesCommand(app, exit_code);
  weir::tools::AddEventsCommand(app, exit_code);
  weir::tools::AddDlqCommand(app, exit_code);
  weir::tools::AddQuarantineCommand(app, exit_code);
  weir::tools::AddSinksCommand(app, exit_code);
  weir::tools::AddExportCommand(app, exit_code);
  weir::tools::AddVerifyCommand(app, exit_code);
}

std::string FailureText(const CLI::App* app, const CLI::Error& error) {
  return std::string("weir: ") + error.what() + "\nRun " + app->get_name() + " --help for more.\n";
}

// CLI11 answers an unknown command with "a subcommand is required".
bool IsUnknownCommand(const CLI::App& app, int argc, char** argv) {
  if (argc < 2 || argv[1][0] == '-') return false;
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    names.push_back(command->get_name());
  }
  const std::string word = argv[1];
  if (std::ranges::find(names, word) != names.end()) return false;
  const std::string nearest(weir::config::Nearest(word, names));
  std::fprintf(stderr, "weir: there is no such command%s%s%s\nRun weir --help for more.\n",
               nearest.empty() ? "" : "; did you mean ", nearest.c_str(), nearest.empty() ? "" : "?");
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  // A reader that goes away (weir events list | head) is an error of the write, like any other.
  std::signal(SIGPIPE, SIG_IGN);

  CLI::App app("weir: takes in signed events, stores each once, durably, and delivers them", "weir");
  app.set_version_flag("--version", "weir " WEIR_VERSION);
  app.require_subcommand(1);
  app.footer(
      "weir COMMAND --help says more. Exit codes: 0 done, 1 found something wrong, 2 usage or "
      "configuration,\n"
      "3 server not reachable.");
  app.failure_message(FailureText);
  const weir::MayLackMemory here;
  int exit_code = weir::tools::kDone;
  AddCommands(app, exit_code);
  if (IsUnknownCommand(app, argc, argv)) return weir::tools::kUsage;
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? weir::tools::kDone : weir::tools::kUsage;
  } catch (const std::bad_alloc&) {
    std::fputs("weir: out of memory; raise the limit of memory or address space (ulimit -v, MemoryMax=)\n",
               stderr);
    return weir::tools::kFoundWrong;
  } catch (const std::system_error& error) {
    std::fprintf(stderr, "weir: this machine lacks something that is needed: %s\n", error.what());
    return weir::tools::kFoundWrong;
  }
  return exit_code;
}
