#include <CLI/CLI.hpp>
#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "tools/commands.h"
#include "tools/filter_options.h"
#include "tools/json_text.h"
#include "tools/operator_client.h"
#include "tools/source_table.h"
#include "tools/standard_output.h"
#include "tools/text_table.h"

namespace weir::tools {

namespace {

using Json = nlohmann::ordered_json;

struct SourcesOptions {
  std::string data;
  bool json = false;
};

std::string CountsTable(const Json& sources) {
  TextTable table({{"SOURCE"},
                   {"STORED", TextTable::Align::kRight},
                   {"DUPLICATES", TextTable::Align::kRight},
                   {"REFUSED", TextTable::Align::kRight},
                   {.title = "CONFIGURED", .whole = true}});
  for (const Json& source : sources) {
    table.Add({Text(source, "source"), Text(source, "received"), Text(source, "duplicates"),
               Text(source, "rejected"), source.value("configured", false) ? "yes" : "no longer"});
  }
  return table.Text();
}

int List(const SourcesOptions& options) {
  auto client = OperatorClient::Open(options.data, Access::kRead);
  if (!client) return Fail(client.error());
  const auto reply = (*client)->Get("/sources", {});
  if (!reply) return Fail(reply.error());
  const Json report = Json::parse(reply->body);
  const Json& sources = report["sources"];
  if (options.json) {
    PrintArray(sources.get<std::vector<Json>>());
    return Finish(kDone);
  }
  const std::int64_t now_us = std::chrono::duration_cast<std::chrono::microseconds>(
                                  std::chrono::system_clock::now().time_since_epoch())
                                  .count();
  if (sources.empty()) {
    Print("no sources are known: no server has run on this store\n");
    return Finish(kDone);
  }
  Print(LastSeenTable(sources, now_us));
  if (report["running"].get<bool>()) {
    Print(WithoutSourceLine(report.value("without_source", Json()), now_us));
    Print("\n" + CountsTable(sources) + "\n" + SecretsTable(sources, now_us));
  } else {
    Print("no server runs: what was received is from the log, what was refused from the quarantine\n");
  }
  return Finish(kDone);
}

}  // namespace

void AddSourcesCommand(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<SourcesOptions>();
  CLI::App* sources = app.add_subcommand("sources", "When each source last received and refused something");
  sources->require_subcommand(1);
  sources->footer("Example:\n  weir sources list --data data");
  CLI::App* list = sources->add_subcommand(
      "list",
      "Last received, last refused and why, which secret matched when; counts since the server's start");
  list->footer("Example:\n  weir sources list --data data");
  AddDataOption(*list, options->data);
  list->add_flag("--json", options->json, "JSON instead of text");
  list->callback([options, &exit_code] { exit_code = List(*options); });
}

}  // namespace weir::tools
