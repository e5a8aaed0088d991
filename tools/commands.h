// The operator's commands: one function a command, one file a function. Each adds its subcommand, with an
// example in its help, and leaves the exit code of what it did in `exit_code`.
#pragma once

namespace CLI {
class App;
}

namespace weir::tools {

// Exit codes of every command.
inline constexpr int kDone = 0;
inline constexpr int kFoundWrong = 1;
inline constexpr int kUsage = 2;  // usage or configuration
inline constexpr int kNotReachable = 3;

void AddServeCommand(CLI::App& app, int& exit_code);
void AddCheckCommand(CLI::App& app, int& exit_code);
void AddReloadCommand(CLI::App& app, int& exit_code);
void AddKindsCommand(CLI::App& app, int& exit_code);
void AddSignCommand(CLI::App& app, int& exit_code);
void AddSendCommand(CLI::App& app, int& exit_code);
void AddExplainCommand(CLI::App& app, int& exit_code);
void AddStatusCommand(CLI::App& app, int& exit_code);
void AddSourcesCommand(CLI::App& app, int& exit_code);
void AddEventsCommand(CLI::App& app, int& exit_code);
void AddDlqCommand(CLI::App& app, int& exit_code);
void AddQuarantineCommand(CLI::App& app, int& exit_code);
void AddSinksCommand(CLI::App& app, int& exit_code);
void AddExportCommand(CLI::App& app, int& exit_code);
void AddVerifyCommand(CLI::App& app, int& exit_code);

}  // namespace weir::tools
