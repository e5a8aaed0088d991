#include <CLI/CLI.hpp>
#include <algorithm>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "engine/admin/printable.h"
#include "engine/limits.h"
#include "tools/commands.h"
#include "tools/confirmation.h"
#include "tools/filter_options.h"
#include "tools/json_text.h"
#include "tools/list_caption.h"
#include "tools/operator_client.h"
#include "tools/progress.h"
#include "tools/standard_output.h"
#include "tools/stepped_action.h"
#include "tools/text_table.h"

namespace weir::tools {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kListedMax = 10;  // admitted requests shown one by one; more are summed up

struct QuarantineOptions {
  std::string data;
  std::string id;  // of show
  FilterOptions filter;
  std::uint64_t limit = 50;
  bool body = false;
  bool all = false;
  bool dry_run = false;
  bool yes = false;
  bool json = false;
};

// Torn entries are no data: what is known of them is said on stderr.
void ReportTorn(const Json& page) {
  for (const Json& torn : page["torn"]) {
    Fail({kFoundWrong, "passed over " + Text(torn, "bytes") + " torn bytes of source " +
                           Text(torn, "source") + ", segment " + Text(torn, "segment") + ", offset " +
                           Text(torn, "offset")});
  }
}

struct Entries {
  std::vector<Json> newest;  // the newest first
  std::uint64_t total = 0;
};

CommandResult<Entries> FindEntries(OperatorClient& client, admin::Parameters parameters,
                                   std::uint64_t limit) {
  Entries entries;
  Progress progress("found", "entries");
  for (;;) {
    parameters["limit"] =
        std::to_string(std::min<std::uint64_t>(limit - entries.newest.size(), limits::kAdminRowsMax));
    auto reply = client.Get("/quarantine", parameters);
    if (!reply) return std::unexpected(reply.error());
    Json page = Json::parse(reply->body);
    if (!parameters.contains("after")) ReportTorn(page);  // every page has gone over all of them
    for (Json& entry : page["entries"]) entries.newest.push_back(std::move(entry));
    entries.total = page["total"].get<std::uint64_t>();
    if (!page["more"].get<bool>() || entries.newest.size() >= limit) return entries;
    parameters["after"] = page["after"].get<std::string>();
    progress.Update(entries.newest.size(), -1);
  }
}

int List(const QuarantineOptions& options) {
  auto client = OperatorClient::Open(options.data, Access::kRead);
  if (!client) return Fail(client.error());
  const auto entries = FindEntries(**client, options.filter.parameters, options.limit);
  if (!entries) return Fail(entries.error());
  if (options.json) {
    PrintArray(entries->newest);
    return Finish(kDone);
  }
  TextTable table({{"ID"},
                   {.title = "RECEIVED (UTC)", .whole = true},
                   {"REASON"},
                   {.title = "X-REQUEST-ID", .whole = true},
                   {.title = "BYTES", .align = TextTable::Align::kRight}});
  for (const Json& entry : entries->newest) {
    table.Add({Text(entry, "id"), ToShort(Text(entry, "received_at")), Text(entry, "reason"),
               Text(entry, "correlation_id"), Text(entry, "body_bytes")});
  }
  Print(table.Text());
  Print(ListCaption("kept requests", entries->newest.size(), entries->total));
  return Finish(kDone);
}

int Show(const QuarantineOptions& options) {
  auto client = OperatorClient::Open(options.data, Access::kRead);
  if (!client) return Fail(client.error());
  const auto reply =
      (*client)->Get("/quarantine/show", {{"id", options.id}, {"body", options.body ? "1" : "0"}});
  if (!reply) return Fail(reply.error());
  if (options.json) {
    Print(reply->body + "\n");
    return Finish(kDone);
  }
  const Json entry = Json::parse(reply->body);
  if (options.body) {
    const auto body = Decoded(Text(entry, "body_base64"));
    if (!body) return Fail({kFoundWrong, "the server's answer is not base64"});
    Print(*body);
    return Finish(kDone);
  }
  for (const char* key :
       {"id", "source", "reason", "correlation_id", "received_at", "method", "target", "body_bytes"}) {
    PrintField(key, Text(entry, key));
  }
  PrintHeaders(entry["headers"]);
  return Finish(kDone);
}

// What all requests of one action came to together.
struct Outcome {
  std::uint64_t matched = 0;
  std::uint64_t done = 0;
  Json admitted = Json::array();
  Json refused = Json::array();

  void Add(const Json& reply) {
    matched += reply["matched"].get<std::uint64_t>();
    done += reply["done"].get<std::uint64_t>();
    for (const Json& one : reply["admitted"]) admitted.push_back(one);
    for (const Json& one : reply["refused"]) refused.push_back(one);
  }
};

CommandResult<Outcome> ActOnAll(OperatorClient& client, const std::string& verb,
                                const QuarantineOptions& options) {
  admin::Parameters parameters = options.filter.parameters;
  if (options.all) parameters["all"] = "1";
  if (options.dry_run) parameters["dry_run"] = "1";
  Outcome outcome;
  const auto acted = ActInSteps(client, "/quarantine/" + verb, std::move(parameters),
                                verb == "admit" ? "admitted" : "dropped", "entries", [&](const Json& reply) {
                                  outcome.Add(reply);
                                  return outcome.done;
                                });
  if (!acted) return std::unexpected(acted.error());
  return outcome;
}

std::string FateOf(const Json& admitted) {
  if (!admitted.contains("sequence")) return "would be admitted";
  const std::string sequence = Text(admitted, "sequence");
  return Text(admitted, "stored") == "0" ? "a duplicate of sequence " + sequence
                                         : "stored as sequence " + sequence;
}

std::uint64_t Sum(const Json& admitted, const char* key) {
  std::uint64_t sum = 0;
  for (const Json& one : admitted) sum += one.value(key, std::uint64_t{0});
  return sum;
}

// What stays, by reason; one of each as an example.
void ReportRefused(const Json& refused) {
  std::map<std::string, std::pair<std::uint64_t, std::string>> reasons;
  for (const Json& one : refused) {
    auto& [count, example] = reasons[Text(one, "reason")];
    if (count++ == 0) example = Text(one, "id");
  }
  for (const auto& [reason, seen] : reasons) {
    Fail({kFoundWrong, seen.first == 1
                           ? seen.second + " stays: " + reason
                           : std::to_string(seen.first) + " stay, as " + seen.second + ": " + reason});
  }
}

void PrintOutcome(const Outcome& outcome, const std::string& verb, const QuarantineOptions& options) {
  if (options.json) {
    Print(Json{{"action", verb},
               {"dry_run", options.dry_run},
               {"matched", outcome.matched},
               {"done", outcome.done},
               {"admitted", outcome.admitted},
               {"refused", outcome.refused}}
              .dump() +
          "\n");
    return;
  }
  const std::string past = verb == "admit" ? "admitted" : "dropped";
  Print(std::to_string(outcome.matched) + " matched, " + std::to_string(outcome.done) + " " +
        (options.dry_run ? "would be " : "") + past + "\n");
  if (outcome.admitted.size() > kListedMax) {
    if (options.dry_run) return;
    Print("  " + std::to_string(Sum(outcome.admitted, "stored")) + " events stored, " +
          std::to_string(Sum(outcome.admitted, "duplicates")) + " known already (--json lists them)\n");
    return;
  }
  for (const Json& one : outcome.admitted) {
    Print(admin::Printable("  " + Text(one, "id") + "  " + Text(one, "event_id") + "  " + FateOf(one)) +
          "\n");
  }
}

// How many it would be is asked of the server, which alone knows all filters.
CommandResult<bool> AgreesToDropEntries(OperatorClient& client, const QuarantineOptions& options) {
  QuarantineOptions looking = options;
  looking.dry_run = true;
  const auto found = ActOnAll(client, "drop", looking);
  if (!found) return std::unexpected(found.error());
  return AgreesToDrop(std::to_string(found->matched) + " kept requests", "Their bytes are nowhere else.");
}

int Act(const QuarantineOptions& options, const std::string& verb) {
  if (options.filter.parameters.empty() != options.all) {
    return Fail({kUsage, "give either a filter (--id, --source, --reason, --since, --until) or --all"});
  }
  auto client = OperatorClient::Open(options.data, options.dry_run ? Access::kRead : Access::kWrite);
  if (!client) return Fail(client.error());
  if (verb == "admit" && !(*client)->online()) {
    return Fail({kNotReachable, "admitting needs the running server: it alone commits events"});
  }
  if (verb == "drop" && !options.dry_run && !options.yes) {
    const auto agreed = AgreesToDropEntries(**client, options);
    if (!agreed) return Fail(agreed.error());
    if (!*agreed) return Fail({kFoundWrong, "nothing was dropped"});
  }
  const auto outcome = ActOnAll(**client, verb, options);
  if (!outcome) return Fail(outcome.error());
  PrintOutcome(*outcome, verb, options);
  ReportRefused(outcome->refused);
  const bool missed = options.filter.parameters.contains("id") && outcome->matched == 0;
  if (missed) Fail({kFoundWrong, "there is no such entry in the quarantine"});
  return Finish(missed || !outcome->refused.empty() ? kFoundWrong : kDone);
}

CLI::App* AddVerb(CLI::App& command, QuarantineOptions& options, const std::string& name,
                  const std::string& help, const std::string& example) {
  CLI::App* verb = command.add_subcommand(name, help);
  verb->footer("Example:\n  " + example);
  AddDataOption(*verb, options.data);
  verb->add_flag("--json", options.json, "JSON instead of text");
  return verb;
}

}  // namespace

void AddQuarantineCommand(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<QuarantineOptions>();
  CLI::App* command =
      app.add_subcommand("quarantine", "Look at refused requests that were kept, admit or drop them");
  command->require_subcommand(1);
  command->footer(
      "A source with `quarantine = \"64MiB\"` keeps the requests that failed their verification, the newest "
      "of them\n"
      "and no more bytes than that. weir explain --quarantine ID says why one was refused.\n\n"
      "Example:\n  weir quarantine list --data data --source stripe --since 1h");

  CLI::App* list = AddVerb(*command, *options, "list", "Kept requests that match, the newest first",
                           "weir quarantine list --data data --reason invalid_signature");
  AddQuarantineFilter(*list, options->filter);
  list->add_option("--limit", options->limit, "How many")
      ->capture_default_str()
      ->check(CLI::Range(1, 1'000'000));
  list->callback([options, &exit_code] { exit_code = List(*options); });

  CLI::App* show = AddVerb(*command, *options, "show", "One of them: its headers, and with --body its body",
                           "weir quarantine show --data data stripe:1795307765:8\n"
                           "  weir quarantine show --data data --id 9f86d081884c7d65\n"
                           "  weir quarantine show --data data stripe:1795307765:8 --body > body.json");
  auto* id = show->add_option("id", options->id, "As listed, or the X-Request-Id of its answer");
  show->add_option("--id", options->id, "The same")->excludes(id);
  show->add_flag("--body", options->body,
                 "Print the body, byte for byte and nothing else; with --json as body_base64");
  show->callback([options, &exit_code] {
    if (options->id.empty()) throw CLI::RequiredError("ID");
    exit_code = Show(*options);
  });

  CLI::App* admit = AddVerb(*command, *options, "admit",
                            "Verify them again as of their receipt, and commit those that pass",
                            "weir quarantine admit --data data --source stripe --since 2h --dry-run");
  CLI::App* drop = AddVerb(*command, *options, "drop", "Forget them",
                           "weir quarantine drop --data data --source stripe --until 7d --yes");
  drop->add_flag("--yes", options->yes, "Do not ask; needed where there is no terminal to ask on");
  for (CLI::App* verb : {admit, drop}) {
    AddQuarantineFilter(*verb, options->filter);
    verb->add_flag("--all", options->all, "Every kept request, instead of a filter");
    verb->add_flag("--dry-run", options->dry_run, "Only say what would be done");
  }
  admit->callback([options, &exit_code] { exit_code = Act(*options, "admit"); });
  drop->callback([options, &exit_code] { exit_code = Act(*options, "drop"); });
}

}  // namespace weir::tools
