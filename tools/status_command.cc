#include <CLI/CLI.hpp>
#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>

#include "tools/commands.h"
#include "tools/filter_options.h"
#include "tools/operator_client.h"
#include "tools/standard_output.h"
#include "tools/status_screen.h"

namespace weir::tools {

namespace {

using Json = nlohmann::ordered_json;

// Between the two reports that a rate is made of.
constexpr std::chrono::milliseconds kRateInterval{1000};

struct StatusOptions {
  std::string data;
  bool json = false;
};

CommandResult<std::string> Report(OperatorClient& client) {
  auto reply = client.Get("/status", {});
  if (!reply) return std::unexpected(reply.error());
  return std::move(reply->body);
}

int Status(const StatusOptions& options) {
  auto client = OperatorClient::Open(options.data, Access::kRead);
  if (!client) return Fail(client.error());
  const auto first = Report(**client);
  if (!first) return Fail(first.error());
  if (options.json) {
    Print(*first + "\n");
    return Finish(kDone);
  }
  const Json earlier = Json::parse(*first);
  if (!(*client)->online()) {
    Print(StatusScreen(earlier, earlier, 0));
    return Finish(kDone);
  }
  const auto started = std::chrono::steady_clock::now();
  std::this_thread::sleep_for(kRateInterval);
  const auto second = Report(**client);
  if (!second) return Fail(second.error());
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - started;
  Print(StatusScreen(Json::parse(*second), earlier, elapsed.count()));
  return Finish(kDone);
}

}  // namespace

void AddStatusCommand(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<StatusOptions>();
  CLI::App* command =
      app.add_subcommand("status", "One screen: rates, latencies, queues, sinks, dead letters, disk");
  command->footer("Example:\n  weir status --data data\n  watch -n 2 weir status --data data");
  AddDataOption(*command, options->data);
  command->add_flag("--json", options->json, "JSON instead of text: totals since the start of the server");
  command->callback([options, &exit_code] { exit_code = Status(*options); });
}

}  // namespace weir::tools
