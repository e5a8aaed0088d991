#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "tools/commands.h"
#include "tools/filter_options.h"
#include "tools/operator_client.h"
#include "tools/standard_output.h"

namespace weir::tools {

namespace {

struct SinksOptions {
  std::string data;
  std::string sink;
  bool json = false;
};

int Skip(const SinksOptions& options) {
  auto client = OperatorClient::Open(options.data, Access::kRead);
  if (!client) return Fail(client.error());
  const auto reply = (*client)->Post("/sinks/skip", {{"sink", options.sink}});
  if (!reply) return Fail(reply.error());
  if (options.json) {
    Print(reply->body + "\n");
    return Finish(kDone);
  }
  const auto stopped_at = nlohmann::ordered_json::parse(reply->body)["stopped_at"].get<std::uint64_t>();
  if (stopped_at == 0) {
    Print("sink " + options.sink + " has not stopped; what its retries cannot read is given up\n");
  } else {
    Print("sink " + options.sink + " goes past what it cannot read from event " + std::to_string(stopped_at) +
          " on\n");
  }
  Print("each event it gives up is a dead letter: weir dlq list --sink " + options.sink + "\n");
  return Finish(kDone);
}

}  // namespace

void AddSinksCommand(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<SinksOptions>();
  CLI::App* sinks = app.add_subcommand("sinks", "Let a sink go on that has stopped");
  sinks->require_subcommand(1);
  sinks->footer("Example:\n  weir sinks skip --data data --sink billing");
  CLI::App* skip =
      sinks->add_subcommand("skip", "Go past events that cannot be read; each becomes a dead letter");
  skip->footer(
      "A sink stops at an event whose stored record is damaged, and says so in the log, in `weir status` and "
      "by\n"
      "weir_sink_stopped. `weir verify` names all damage, a backup may still have what it hit.\n"
      "\n"
      "Example:\n"
      "  weir sinks skip --data data --sink billing");
  AddDataOption(*skip, options->data);
  skip->add_option("--sink", options->sink, "Which sink")->required();
  skip->add_flag("--json", options->json, "JSON instead of text");
  skip->callback([options, &exit_code] { exit_code = Skip(*options); });
}

}  // namespace weir::tools
