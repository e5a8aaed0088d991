#include <CLI/CLI.hpp>
#include <algorithm>
#include <limits>
#include <memory>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <vector>

#include "engine/admin/printable.h"
#include "engine/limits.h"
#include "tools/commands.h"
#include "tools/filter_options.h"
#include "tools/json_text.h"
#include "tools/operator_client.h"
#include "tools/progress.h"
#include "tools/standard_output.h"
#include "tools/text_table.h"

namespace weir::tools {

namespace {

using Json = nlohmann::ordered_json;

struct EventsOptions {
  std::string data;
  FilterOptions filter;
  std::uint64_t limit = 50;
  std::uint64_t sequence = 0;
  std::string source;
  std::string id;
  bool body = false;
  bool json = false;
};

// The newest `limit` matches, oldest of them first.
CommandResult<std::vector<Json>> Newest(OperatorClient& client, admin::Parameters parameters,
                                        std::uint64_t limit) {
  std::vector<Json> events;
  Progress progress("found", "events");
  for (;;) {
    parameters["limit"] =
        std::to_string(std::min<std::uint64_t>(limit - events.size(), limits::kAdminRowsMax));
    auto reply = client.Get("/events", parameters);
    if (!reply) return std::unexpected(reply.error());
    Json page = Json::parse(reply->body);
    for (Json& event : page["events"]) events.push_back(std::move(event));
    if (page["finished"].get<bool>() || events.size() >= limit) break;
    parameters["before"] = page["before"].dump();
    progress.Update(events.size(), -1);
  }
  std::reverse(events.begin(), events.end());
  return events;
}

void PrintTable(const std::vector<Json>& events) {
  TextTable table({{"SEQUENCE", TextTable::Align::kRight},
                   {"RECEIVED"},
                   {"SOURCE"},
                   {"TYPE"},
                   {"STATE"},
                   {"BYTES", TextTable::Align::kRight},
                   {"ID"}});
  for (const Json& event : events) {
    table.Add({Text(event, "sequence"), ToSeconds(Text(event, "received_at")), Text(event, "source"),
               Text(event, "type"), Text(event, "state"), Text(event, "body_bytes"), Text(event, "id")});
  }
  Print(table.Text());
}

int List(const EventsOptions& options) {
  auto client = OperatorClient::Open(options.data, Access::kRead);
  if (!client) return Fail(client.error());
  const auto events = Newest(**client, options.filter.parameters, options.limit);
  if (!events) return Fail(events.error());
  if (options.json) {
    PrintArray(*events);
  } else {
    PrintTable(*events);
  }
  return Finish(kDone);
}

int Count(const EventsOptions& options) {
  auto client = OperatorClient::Open(options.data, Access::kRead);
  if (!client) return Fail(client.error());
  admin::Parameters parameters = options.filter.parameters;
  std::uint64_t count = 0;
  for (Progress progress("counted", "events");;) {
    const auto reply = (*client)->Get("/events/count", parameters);
    if (!reply) return Fail(reply.error());
    const Json page = Json::parse(reply->body);
    count += page["count"].get<std::uint64_t>();
    if (page["finished"].get<bool>()) break;
    parameters["from"] = page["next"].dump();
    progress.Update(count, -1);
  }
  Print(options.json ? Json{{"count", count}}.dump() + "\n" : std::to_string(count) + "\n");
  return Finish(kDone);
}

// A sequence as it is; an id by asking for the newest event that has it.
CommandResult<std::string> SequenceOf(OperatorClient& client, const EventsOptions& options) {
  if (options.sequence != 0) return std::to_string(options.sequence);
  admin::Parameters parameters = {{"id", options.id}};
  if (!options.source.empty()) parameters["source"] = options.source;
  const auto events = Newest(client, parameters, 1);
  if (!events) return std::unexpected(events.error());
  if (events->empty())
    return std::unexpected(CommandFailure{kFoundWrong, "no event has the id " + options.id});
  return Text(events->front(), "sequence");
}

void PrintDetail(const Json& event) {
  for (const char* key :
       {"sequence", "id", "source", "type", "state", "malformed", "received_at", "body_bytes"}) {
    if (event.contains(key)) PrintField(key, Text(event, key));
  }
  Print("deliveries:\n");
  for (const Json& delivery : event["deliveries"]) {
    std::string line = "  " + Text(delivery, "sink") + "  " + Text(delivery, "state");
    for (const char* key : {"attempts", "due_at", "died_at", "last_outcome", "reason", "last_answer"}) {
      if (delivery.contains(key)) line += "  " + std::string(key) + "=" + Text(delivery, key);
    }
    Print(admin::Printable(line) + "\n");
  }
  PrintHeaders(event["headers"]);
}

int Show(const EventsOptions& options) {
  auto client = OperatorClient::Open(options.data, Access::kRead);
  if (!client) return Fail(client.error());
  const auto sequence = SequenceOf(**client, options);
  if (!sequence) return Fail(sequence.error());
  const auto reply =
      (*client)->Get("/events/show", {{"sequence", *sequence}, {"body", options.body ? "1" : "0"}});
  if (!reply) return Fail(reply.error());
  if (options.json) {
    Print(reply->body + "\n");
    return Finish(kDone);
  }
  const Json event = Json::parse(reply->body);
  if (!options.body) {
    PrintDetail(event);
    return Finish(kDone);
  }
  const auto body = Decoded(Text(event, "body_base64"));
  if (!body) return Fail({kFoundWrong, "the server's answer is not base64"});
  Print(*body);
  return Finish(kDone);
}

CLI::App* AddVerb(CLI::App& events, EventsOptions& options, const std::string& name, const std::string& help,
                  const std::string& example) {
  CLI::App* verb = events.add_subcommand(name, help);
  verb->footer("Example:\n  " + example);
  AddDataOption(*verb, options.data);
  verb->add_flag("--json", options.json, "JSON instead of text");
  return verb;
}

}  // namespace

void AddEventsCommand(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<EventsOptions>();
  CLI::App* events = app.add_subcommand("events", "Look at stored events");
  events->require_subcommand(1);
  events->footer("Example:\n  weir events list --data data --source stripe --since 15m --state dead");

  CLI::App* list = AddVerb(*events, *options, "list", "The newest events that match, the newest last",
                           "weir events list --data data --type 'invoice.*' --since 2h --limit 20");
  AddEventFilter(*list, options->filter);
  list->add_option("--limit", options->limit, "How many")
      ->capture_default_str()
      ->check(CLI::Range(1, 1'000'000));
  list->callback([options, &exit_code] { exit_code = List(*options); });

  CLI::App* show = AddVerb(
      *events, *options, "show", "One event: its fate at every sink and its headers",
      "weir events show --data data 42\n  weir events show --data data --id evt_1 --body > body.json");
  auto* sequence = show->add_option("sequence", options->sequence, "Its position in the log")
                       ->check(CLI::Range(std::uint64_t{1}, std::numeric_limits<std::uint64_t>::max() - 1));
  auto* id = show->add_option("--id", options->id, "The sender's id instead; the newest event that has it");
  id->excludes(sequence);
  show->add_option("--source", options->source, "With --id: only of this source")->needs(id);
  show->add_flag("--body", options->body,
                 "Print the body, byte for byte and nothing else; with --json as body_base64");
  show->callback([options, &exit_code] {
    if (options->sequence == 0 && options->id.empty()) throw CLI::RequiredError("SEQUENCE or --id");
    exit_code = Show(*options);
  });

  CLI::App* count = AddVerb(*events, *options, "count", "How many events match",
                            "weir events count --data data --source github --state pending");
  AddEventFilter(*count, options->filter);
  count->callback([options, &exit_code] { exit_code = Count(*options); });
}

}  // namespace weir::tools
