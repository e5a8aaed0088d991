#include "tools/dlq_admit.h"

#include <CLI/CLI.hpp>
#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "tools/commands.h"
#include "tools/filter_options.h"
#include "tools/json_text.h"
#include "tools/operator_client.h"
#include "tools/standard_output.h"
#include "tools/stepped_action.h"

namespace weir::tools {

namespace {

using Json = nlohmann::ordered_json;

struct AdmitOptions {
  std::string data;
  std::string letter;
  std::string source;
  std::string id;
  std::string type;
  bool has_type = false;
  bool dry_run = false;
  bool json = false;
};

admin::Parameters ParametersOf(const AdmitOptions& options) {
  admin::Parameters parameters = {{"new_id", options.id}};
  if (!options.letter.empty()) {
    parameters[options.letter.find(':') == std::string::npos ? "letter" : "conflict"] = options.letter;
  }
  if (!options.source.empty()) parameters["source"] = options.source;
  if (options.has_type) parameters["new_type"] = options.type;
  if (options.dry_run) parameters["dry_run"] = "1";
  return parameters;
}

void PrintAdmitted(const Json& admitted, bool dry_run) {
  for (const Json& event : admitted) {
    const std::string from = event.contains("conflict") ? Text(event, "conflict") : Text(event, "letter");
    std::string line = from + " as " + Text(event, "event_id");
    if (!Text(event, "type").empty()) line += ", type " + Text(event, "type");
    if (dry_run) {
      line += event.contains("known_as") ? ": event " + Text(event, "known_as") + " has this id"
                                         : ": would be stored";
    } else if (event["stored"].get<std::uint64_t>() > 0) {
      line += ": stored as event " + Text(event, "sequence");
    } else {
      line += ": was event " + Text(event, "sequence") + " already";
    }
    Print(line + "\n");
  }
}

int Admit(const AdmitOptions& options) {
  auto client = OperatorClient::Open(options.data, options.dry_run ? Access::kRead : Access::kWrite);
  if (!client) return Fail(client.error());
  Json admitted = Json::array();
  Json refused = Json::array();
  std::uint64_t matched = 0;
  const auto acted =
      ActInSteps(**client, "/dlq/admit", ParametersOf(options), "admitted", "events", [&](const Json& reply) {
        matched += reply["matched"].get<std::uint64_t>();
        for (const Json& one : reply["admitted"]) admitted.push_back(one);
        for (const Json& one : reply["refused"]) refused.push_back(one);
        return static_cast<std::uint64_t>(admitted.size());
      });
  if (!acted) return Fail(acted.error());
  if (options.json) {
    Print(Json{{"action", "admit"},
               {"dry_run", options.dry_run},
               {"matched", matched},
               {"admitted", admitted},
               {"refused", refused}}
              .dump() +
          "\n");
  } else {
    PrintAdmitted(admitted, options.dry_run);
  }
  for (const Json& one : refused) Fail({kFoundWrong, Text(one, "letter") + " stays: " + Text(one, "reason")});
  if (matched == 0) Fail({kFoundWrong, "no dead letter of an undeliverable event matches"});
  return Finish(matched == 0 || !refused.empty() ? kFoundWrong : kDone);
}

}  // namespace

void AddDlqAdmit(CLI::App& dlq, int& exit_code) {
  auto options = std::make_shared<AdmitOptions>();
  CLI::App* admit =
      dlq.add_subcommand("admit", "Make an undeliverable event, or a kept conflict, an event like any other");
  admit->footer(
      "Examples:\n"
      "  weir dlq admit --data data 42 --id evt_42 --type invoice.paid\n"
      "  weir dlq admit --data data 12:9f86d081884c7d65 --id evt_1-second\n"
      "  weir dlq admit --data data --source acme --id 'acme-{sequence}' --dry-run");
  AddDataOption(*admit, options->data);
  admit->add_option("letter", options->letter,
                    "Its sequence (weir dlq list --sink -) or a conflict as listed (weir events list --state "
                    "conflict); else every letter of --source");
  admit->add_option("--source", options->source, "Only letters of this source");
  admit->add_option("--id", options->id, "The id it gets; {sequence} stands for the letter's own")
      ->required();
  auto* type = admit->add_option("--type", options->type, "The type it gets instead of its own");
  admit->add_flag("--dry-run", options->dry_run, "Only say what would be done");
  admit->add_flag("--json", options->json, "JSON instead of text");
  admit->callback([options, type, &exit_code] {
    options->has_type = type->count() > 0;
    exit_code = Admit(*options);
  });
}

}  // namespace weir::tools
