#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>

#include "engine/admin/printable.h"
#include "tools/commands.h"
#include "tools/filter_options.h"
#include "tools/operator_client.h"
#include "tools/standard_output.h"

namespace weir::tools {
namespace {

using Json = nlohmann::ordered_json;

struct ReloadOptions {
  std::string data;
  bool json = false;
};

std::string Lines(const Json& report, const char* key, const std::string& prefix) {
  std::string text;
  for (const Json& line : report[key])
    text += prefix + admin::PrintableSentence(line.get<std::string>()) + '\n';
  return text;
}

std::string ReportText(const Json& report) {
  std::string text = report["changed"].empty() ? "reloaded; nothing changed\n" : "reloaded; changed:\n";
  text += Lines(report, "changed", "  ");
  if (!report["needs_restart"].empty()) {
    text += "in force only after a restart:\n" + Lines(report, "needs_restart", "  ");
  }
  return text + Lines(report, "notes", "") + Lines(report, "not_open", "");
}

// A configuration that is wrong is a line a mistake.
int FailLineByLine(const CommandFailure& failure) {
  std::istringstream lines(failure.message);
  for (std::string line; std::getline(lines, line);) Fail({failure.exit_code, line});
  return failure.exit_code;
}

int Reload(const ReloadOptions& options) {
  auto client = OperatorClient::Reach(options.data);
  if (!client) return Fail(client.error());
  const auto reply = (*client)->Post("/reload", {});
  if (!reply) return FailLineByLine(reply.error());
  const Json report = Json::parse(reply->body);
  Print(options.json ? reply->body + "\n" : ReportText(report));
  return Finish(report["not_open"].empty() ? kDone : kFoundWrong);
}

}  // namespace

void AddReloadCommand(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<ReloadOptions>();
  CLI::App* command =
      app.add_subcommand("reload", "Make the running server read its configuration again, as SIGHUP does");
  command->footer(
      "Sources, sinks and routes change; keys of [server] and [admin] are named and wait for a restart. A "
      "file that\n"
      "is wrong changes nothing: exit 2 with every mistake. Exit 1 when it is in force but a sink cannot be "
      "opened.\n\n"
      "Example:\n  weir check --config weir.toml && weir reload --data data");
  AddDataOption(*command, options->data);
  command->add_flag("--json", options->json, "JSON instead of text");
  command->callback([options, &exit_code] { exit_code = Reload(*options); });
}

}  // namespace weir::tools
