#include <CLI/CLI.hpp>
#include <algorithm>
#include <cctype>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "engine/limits.h"
#include "tools/commands.h"
#include "tools/confirmation.h"
#include "tools/dlq_admit.h"
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

struct DlqOptions {
  std::string data;
  FilterOptions filter;
  std::uint64_t limit = 50;
  bool all = false;
  bool dry_run = false;
  bool yes = false;
  bool json = false;
  std::string conflict;
  std::string by;
};

struct Letters {
  std::vector<Json> newest;  // the one that died last first
  std::uint64_t total = 0;
};

CommandResult<Letters> FindLetters(OperatorClient& client, admin::Parameters parameters,
                                   std::uint64_t limit) {
  Letters letters;
  Progress progress("found", "dead letters");
  for (;;) {
    parameters["limit"] =
        std::to_string(std::min<std::uint64_t>(limit - letters.newest.size(), limits::kAdminRowsMax));
    auto reply = client.Get("/dlq", parameters);
    if (!reply) return std::unexpected(reply.error());
    Json page = Json::parse(reply->body);
    for (Json& letter : page["dead_letters"]) letters.newest.push_back(std::move(letter));
    letters.total = page["total"].get<std::uint64_t>();
    if (!page["more"].get<bool>() || letters.newest.size() >= limit) return letters;
    parameters["after"] = page["after"].get<std::string>();
    progress.Update(letters.newest.size(), -1);
  }
}

void PrintTable(const std::vector<Json>& letters) {
  TextTable table({{"SINK"},
                   {"SEQUENCE", TextTable::Align::kRight},
                   {.title = "DIED (UTC)", .whole = true},
                   {"REASON"},
                   {"TYPE"},
                   {"ID"}});
  for (const Json& letter : letters) {
    table.Add({Text(letter, "sink"), Text(letter, "sequence"), ToShort(Text(letter, "died_at")),
               Text(letter, "reason"), Text(letter, "type"), Text(letter, "id")});
  }
  Print(table.Text());
}

void PrintBlocks(const std::vector<Json>& letters) {
  for (const Json& letter : letters) {
    for (const auto& [key, value] : letter.items()) PrintField(key, Text(letter, key.c_str()));
    Print("\n");
  }
}

enum class Shape { kTable, kBlocks };

int List(const DlqOptions& options, Shape shape) {
  auto client = OperatorClient::Open(options.data, Access::kRead);
  if (!client) return Fail(client.error());
  const auto letters = FindLetters(**client, options.filter.parameters, options.limit);
  if (!letters) return Fail(letters.error());
  if (options.json) {
    PrintArray(letters->newest);
  } else {
    if (shape == Shape::kTable) {
      PrintTable(letters->newest);
    } else {
      PrintBlocks(letters->newest);
    }
    Print(ListCaption("dead letters", letters->newest.size(), letters->total));
  }
  const bool named = options.filter.parameters.contains("id");
  return Finish(named && letters->newest.empty() ? kFoundWrong : kDone);
}

int Count(const DlqOptions& options) {
  auto client = OperatorClient::Open(options.data, Access::kRead);
  if (!client) return Fail(client.error());
  admin::Parameters parameters = options.filter.parameters;
  if (!options.by.empty()) parameters["by"] = options.by;
  const auto reply = (*client)->Get("/dlq/count", parameters);
  if (!reply) return Fail(reply.error());
  if (options.json) {
    Print(reply->body + "\n");
    return Finish(kDone);
  }
  const Json counted = Json::parse(reply->body);
  if (options.by.empty()) {
    Print(Text(counted, "count") + "\n");
    return Finish(kDone);
  }
  std::vector<TextTable::Column> columns = {{.title = "COUNT", .align = TextTable::Align::kRight}};
  std::vector<std::string> keys;
  for (const std::string& key : CLI::detail::split(options.by, ',')) {
    keys.push_back(key);
    std::string title = key;
    std::ranges::transform(title, title.begin(), [](unsigned char c) { return std::toupper(c); });
    columns.push_back({.title = std::move(title)});
  }
  TextTable table(std::move(columns));
  for (const Json& group : counted["groups"]) {
    std::vector<std::string> cells = {Text(group, "count")};
    for (const std::string& key : keys) cells.push_back(Text(group, key.c_str()));
    table.Add(std::move(cells));
  }
  Print(table.Text() + Text(counted, "count") + " dead letters\n");
  return Finish(kDone);
}

// What all requests of one action came to together.
struct Outcome {
  std::uint64_t matched = 0;
  std::uint64_t done = 0;
  std::map<std::string, std::uint64_t> sinks;
  std::map<std::string, std::pair<std::uint64_t, std::string>> skipped;  // sink -> letters, reason

  void Add(const Json& reply) {
    matched += reply["matched"].get<std::uint64_t>();
    done += reply["done"].get<std::uint64_t>();
    for (const auto& [sink, count] : reply["sinks"].items()) sinks[sink] += count.get<std::uint64_t>();
    for (const Json& skip : reply["skipped"]) {
      auto& [count, reason] = skipped[Text(skip, "sink")];
      count += skip["count"].get<std::uint64_t>();
      reason = Text(skip, "reason");
    }
  }
};

CommandResult<Outcome> ActOnAll(OperatorClient& client, const std::string& verb, const DlqOptions& options) {
  admin::Parameters parameters = options.filter.parameters;
  if (options.all) parameters["all"] = "1";
  if (options.dry_run) parameters["dry_run"] = "1";
  Outcome outcome;
  const auto acted =
      ActInSteps(client, "/dlq/" + verb, std::move(parameters), verb == "retry" ? "retried" : "dropped",
                 "dead letters", [&](const Json& reply) {
                   outcome.Add(reply);
                   return outcome.done;
                 });
  if (!acted) return std::unexpected(acted.error());
  return outcome;
}

void PrintOutcome(const Outcome& outcome, const std::string& verb, const DlqOptions& options) {
  if (options.json) {
    Json json = {{"action", verb},       {"dry_run", options.dry_run}, {"matched", outcome.matched},
                 {"done", outcome.done}, {"sinks", outcome.sinks},     {"skipped", Json::array()}};
    for (const auto& [sink, skip] : outcome.skipped) {
      json["skipped"].push_back({{"sink", sink}, {"count", skip.first}, {"reason", skip.second}});
    }
    Print(json.dump() + "\n");
    return;
  }
  const std::string past = verb == "retry" ? "retried" : "dropped";
  const std::string did = options.dry_run ? "would be " + past : past;
  Print(std::to_string(outcome.matched) + " matched, " +
        std::to_string(options.dry_run ? outcome.matched : outcome.done) + " " + did + "\n");
  for (const auto& [sink, count] : outcome.sinks) Print("  " + sink + ": " + std::to_string(count) + "\n");
}

CommandResult<bool> AgreesToDropLetters(OperatorClient& client, const DlqOptions& options) {
  const auto reply = client.Get("/dlq/count", options.filter.parameters);
  if (!reply) return std::unexpected(reply.error());
  return AgreesToDrop(Text(Json::parse(reply->body), "count") + " dead letters",
                      "Their events stay in the log.");
}

int DropConflict(const DlqOptions& options) {
  if (!options.filter.parameters.empty() || options.all)
    return Fail({kUsage, "--conflict names one; filters and --all are for dead letters"});
  auto client = OperatorClient::Open(options.data, options.dry_run ? Access::kRead : Access::kWrite);
  if (!client) return Fail(client.error());
  const auto there = (*client)->Get("/events/show", {{"conflict", options.conflict}});
  if (!there) return Fail(there.error());
  if (options.dry_run) {
    Print(options.json ? Json{{"dry_run", true}, {"dropped", options.conflict}}.dump() + "\n"
                       : "1 conflict would be dropped\n");
    return Finish(kDone);
  }
  if (!options.yes) {
    const auto agreed = AgreesToDrop("conflict " + options.conflict, "Its bytes are nowhere else.");
    if (!agreed) return Fail(agreed.error());
    if (!*agreed) return Fail({kFoundWrong, "nothing was dropped"});
  }
  const auto reply = (*client)->Post("/conflicts/drop", {{"conflict", options.conflict}});
  if (!reply) return Fail(reply.error());
  Print(options.json ? reply->body + "\n" : "1 conflict dropped\n");
  return Finish(kDone);
}

int Act(const DlqOptions& options, const std::string& verb) {
  if (!options.conflict.empty()) return DropConflict(options);
  if (options.filter.parameters.empty() != options.all) {
    return Fail(
        {kUsage,
         "give either a filter (--id, --sink, --source, --type, --reason, --since, --until) or --all"});
  }
  auto client = OperatorClient::Open(options.data, options.dry_run ? Access::kRead : Access::kWrite);
  if (!client) return Fail(client.error());
  if (verb == "drop" && !options.dry_run && !options.yes) {
    const auto agreed = AgreesToDropLetters(**client, options);
    if (!agreed) return Fail(agreed.error());
    if (!*agreed) return Fail({kFoundWrong, "nothing was dropped"});
  }
  const auto outcome = ActOnAll(**client, verb, options);
  if (!outcome) return Fail(outcome.error());
  PrintOutcome(*outcome, verb, options);
  for (const auto& [sink, skip] : outcome->skipped) {
    Fail({kFoundWrong, std::to_string(skip.first) + " of sink " + sink + " left alone: " + skip.second});
  }
  const bool missed = options.filter.parameters.contains("id") && outcome->matched == 0;
  return Finish(missed || !outcome->skipped.empty() ? kFoundWrong : kDone);
}

CLI::App* AddVerb(CLI::App& dlq, DlqOptions& options, const std::string& name, const std::string& help,
                  const std::string& example) {
  CLI::App* verb = dlq.add_subcommand(name, help);
  verb->footer("Example:\n  " + example);
  AddDataOption(*verb, options.data);
  AddDeadLetterFilter(*verb, options.filter);
  verb->add_flag("--json", options.json, "JSON instead of text");
  return verb;
}

}  // namespace

void AddDlqCommand(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<DlqOptions>();
  CLI::App* dlq = app.add_subcommand("dlq", "Look at dead letters, retry or drop them");
  dlq->require_subcommand(1);
  dlq->footer("Example:\n  weir dlq retry --data data --sink billing --since 2h");

  CLI::App* list = AddVerb(*dlq, *options, "list", "Dead letters that match, the one that died last first",
                           "weir dlq list --data data --sink billing");
  CLI::App* show = AddVerb(*dlq, *options, "show", "Everything about the dead letters that match",
                           "weir dlq show --data data --id evt_1");
  for (CLI::App* verb : {list, show}) {
    verb->add_option("--limit", options->limit, "How many")
        ->capture_default_str()
        ->check(CLI::Range(1, 1'000'000));
  }
  list->callback([options, &exit_code] { exit_code = List(*options, Shape::kTable); });
  show->callback([options, &exit_code] { exit_code = List(*options, Shape::kBlocks); });

  CLI::App* count = AddVerb(*dlq, *options, "count", "How many match, and of what",
                            "weir dlq count --data data --by reason,sink");
  count->add_option("--by", options->by, "Count apart by some of reason, sink, source, type")
      ->check([](const std::string& text) {
        return text.empty() ? std::string("must not be empty") : std::string();
      });
  count->callback([options, &exit_code] { exit_code = Count(*options); });

  CLI::App* retry =
      AddVerb(*dlq, *options, "retry", "Offer them to their sink again, at once, with all attempts",
              "weir dlq retry --data data --sink billing --type 'invoice.*' --dry-run");
  CLI::App* drop = AddVerb(*dlq, *options, "drop", "Give them up; the events stay in the log",
                           "weir dlq drop --data data --id evt_1 --yes");
  drop->add_flag("--yes", options->yes, "Do not ask; needed where there is no terminal to ask on");
  for (CLI::App* verb : {retry, drop}) {
    verb->add_flag("--all", options->all, "Every dead letter, instead of a filter");
    verb->add_flag("--dry-run", options->dry_run, "Only count what would be done");
  }
  AddDlqAdmit(*dlq, exit_code);
  drop->add_option("--conflict", options->conflict,
                   "A kept conflict instead, as weir events list --state conflict names it");
  retry->callback([options, &exit_code] { exit_code = Act(*options, "retry"); });
  drop->callback([options, &exit_code] { exit_code = Act(*options, "drop"); });
}

}  // namespace weir::tools
