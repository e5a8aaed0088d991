#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "engine/admin/printable.h"
#include "engine/limits.h"
#include "tools/commands.h"
#include "tools/filter_options.h"
#include "tools/json_text.h"
#include "tools/list_caption.h"
#include "tools/operator_client.h"
#include "tools/progress.h"
#include "tools/standard_output.h"
#include "tools/text_table.h"
#include "tools/unreadable_note.h"

namespace weir::tools {

namespace {

using Json = nlohmann::ordered_json;

// How long a list may count what it does not show.
constexpr std::chrono::milliseconds kCountPatience{1000};

struct EventsOptions {
  std::string data;
  FilterOptions filter;
  std::uint64_t limit = 50;
  std::string event;  // a sequence, or a conflict's address
  std::string source;
  std::string id;
  bool body = false;
  bool json = false;
};

struct Newest {
  std::vector<Json> events;  // the newest first
  bool more = false;         // older ones may match
  UnreadableNote unreadable = {};
};

CommandResult<Newest> FindNewest(OperatorClient& client, admin::Parameters parameters, std::uint64_t limit) {
  Newest found;
  Progress progress("found", "events");
  for (;;) {
    parameters["limit"] =
        std::to_string(std::min<std::uint64_t>(limit - found.events.size(), limits::kAdminRowsMax));
    auto reply = client.Get("/events", parameters);
    if (!reply) return std::unexpected(reply.error());
    Json page = Json::parse(reply->body);
    found.unreadable.Add(page);
    for (Json& event : page["events"]) found.events.push_back(std::move(event));
    found.more = !page["finished"].get<bool>();
    if (!found.more || found.events.size() >= limit) return found;
    parameters["before"] = page["before"].dump();
    progress.Update(found.events.size(), -1);
  }
}

// Of all that match. nullopt when that is not known after `patience`.
CommandResult<std::optional<std::uint64_t>> CountAll(OperatorClient& client, admin::Parameters parameters,
                                                     std::optional<std::chrono::milliseconds> patience,
                                                     UnreadableNote& unreadable) {
  const auto started = std::chrono::steady_clock::now();
  std::uint64_t count = 0;
  for (Progress progress("counted", "events");;) {
    const auto reply = client.Get("/events/count", parameters);
    if (!reply) return std::unexpected(reply.error());
    const Json page = Json::parse(reply->body);
    count += page["count"].get<std::uint64_t>();
    unreadable.Add(page);
    if (page["finished"].get<bool>()) return count;
    if (patience && std::chrono::steady_clock::now() - started > *patience) return std::nullopt;
    parameters["from"] = page["next"].dump();
    progress.Update(count, -1);
  }
}

// What a state alone would leave unsaid: why a test button's event came again, and why no route by type takes one.
std::string StateText(const Json& event) {
  std::string text = Text(event, "state");
  if (event.contains("test")) text += ", test";
  if (event.contains("untyped")) text += ", no type";
  return text;
}

void PrintTable(const std::vector<Json>& events) {
  TextTable table({{"SEQUENCE", TextTable::Align::kRight},
                   {.title = "RECEIVED (UTC)", .whole = true},
                   {"SOURCE"},
                   {"TYPE"},
                   {.title = "STATE", .whole = true},
                   {"ID"}});
  for (const Json& event : events) {
    const std::string place = event.contains("conflict") ? Text(event, "conflict") : Text(event, "sequence");
    table.Add({place, ToShort(Text(event, "received_at")), Text(event, "source"), Text(event, "type"),
               StateText(event), Text(event, "id")});
  }
  Print(table.Text());
}

int List(const EventsOptions& options) {
  auto client = OperatorClient::Open(options.data, Access::kRead);
  if (!client) return Fail(client.error());
  const auto found = FindNewest(**client, options.filter.parameters, options.limit);
  if (!found) return Fail(found.error());
  found->unreadable.Print("not listed");
  if (options.json) {
    PrintArray(found->events);
    return Finish(kDone);
  }
  PrintTable(found->events);
  std::optional<std::uint64_t> total = found->events.size();
  if (found->more) {
    UnreadableNote counted_without;
    const auto counted = CountAll(**client, options.filter.parameters, kCountPatience, counted_without);
    if (!counted) return Fail(counted.error());
    total = *counted;
  }
  Print(ListCaption("events", found->events.size(), total));
  return Finish(kDone);
}

int Count(const EventsOptions& options) {
  auto client = OperatorClient::Open(options.data, Access::kRead);
  if (!client) return Fail(client.error());
  UnreadableNote unreadable;
  const auto count = CountAll(**client, options.filter.parameters, std::nullopt, unreadable);
  if (!count) return Fail(count.error());
  unreadable.Print("not counted");
  Print(options.json ? Json{{"count", **count}}.dump() + "\n" : std::to_string(**count) + "\n");
  return Finish(kDone);
}

// A sequence as it is; an id by asking for the newest event that has it.
CommandResult<std::string> SequenceOf(OperatorClient& client, const EventsOptions& options) {
  if (!options.event.empty()) return options.event;
  admin::Parameters parameters = {{"id", options.id}};
  if (!options.source.empty()) parameters["source"] = options.source;
  const auto found = FindNewest(client, parameters, 1);
  if (!found) return std::unexpected(found.error());
  found->unreadable.Print("not looked into");
  if (found->events.empty()) {
    return std::unexpected(CommandFailure{kFoundWrong, "no event has the id " + options.id});
  }
  std::string sequence = Text(found->events.front(), "sequence");
  if (Text(found->events.front(), "id") == options.id) return sequence;
  // The sender's id is only the beginning of this event's name: there may be others.
  const auto all = FindNewest(client, parameters, limits::kAdminRowsMax);
  if (!all) return std::unexpected(all.error());
  std::string others;
  for (const Json& event : all->events) others += (others.empty() ? "" : ", ") + Text(event, "sequence");
  if (all->events.size() > 1) {
    Fail({kDone, "the sender gave the id " + options.id + " to events " + others + "; this is the newest"});
  }
  return sequence;
}

std::string ArrivalsText(const Json& event) {
  std::string text = Text(event, "came_times") + (event["came_times"] == 1 ? " time" : " times");
  if (event.contains("last_attempt")) text += ", last attempt " + Text(event, "last_attempt");
  if (event.contains("last_came_at")) text += ", last at " + ToSeconds(Text(event, "last_came_at"));
  return text;
}

void PrintDetail(const Json& event) {
  for (const char* key :
       {"sequence", "id", "source", "type", "state", "malformed", "received_at", "body_bytes"}) {
    if (event.contains(key)) PrintField(key, Text(event, key));
  }
  if (event.contains("came_times")) PrintField("came", ArrivalsText(event));
  if (event.contains("test")) PrintField("test", "yes: a test button sends this id again and again");
  if (event.contains("untyped"))
    PrintField("untyped",
               "there is no type where the kind has one; only routes without types, or with *, take it");
  const bool owed_to_nobody = event["deliveries"].empty() && !event.contains("conflict");
  Print(owed_to_nobody ? "deliveries:   none: no route leads to any sink\n" : "deliveries:\n");
  for (const Json& delivery : event["deliveries"]) {
    Print(admin::Printable("  " + Text(delivery, "sink") + "  " + Text(delivery, "state")) + "\n");
    for (const char* key :
         {"why", "attempts", "due_at", "died_at", "last_outcome", "reason", "last_answer"}) {
      if (delivery.contains(key))
        Print(admin::Printable("    " + std::string(key) + ": " + Text(delivery, key)) + "\n");
    }
  }
  PrintHeaders(event["headers"]);
}

int Show(const EventsOptions& options) {
  auto client = OperatorClient::Open(options.data, Access::kRead);
  if (!client) return Fail(client.error());
  const auto sequence = SequenceOf(**client, options);
  if (!sequence) return Fail(sequence.error());
  const std::string name = sequence->find(':') == std::string::npos ? "sequence" : "conflict";
  const auto reply = (*client)->Get("/events/show", {{name, *sequence}, {"body", options.body ? "1" : "0"}});
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

  CLI::App* list = AddVerb(*events, *options, "list", "The newest events that match, the newest first",
                           "weir events list --data data --type 'invoice.*' --since 2h --limit 20");
  AddEventFilter(*list, options->filter);
  list->add_option("--limit", options->limit, "How many")
      ->capture_default_str()
      ->check(CLI::Range(1, 1'000'000));
  list->callback([options, &exit_code] { exit_code = List(*options); });

  CLI::App* show = AddVerb(
      *events, *options, "show", "One event: its fate at every sink, why it is not delivered, its headers",
      "weir events show --data data 42\n  weir events show --data data --id evt_1 --body > body.json");
  auto* sequence =
      show->add_option("sequence", options->event, "Its position in the log, or a conflict as listed");
  auto* id = show->add_option("--id", options->id, "The sender's id instead; the newest event that has it");
  id->excludes(sequence);
  show->add_option("--source", options->source, "With --id: only of this source")->needs(id);
  show->add_flag("--body", options->body,
                 "Print the body, byte for byte and nothing else; with --json as body_base64");
  show->callback([options, &exit_code] {
    if (options->event.empty() && options->id.empty()) throw CLI::RequiredError("SEQUENCE or --id");
    exit_code = Show(*options);
  });

  CLI::App* count = AddVerb(*events, *options, "count", "How many events match",
                            "weir events count --data data --source github --state pending");
  AddEventFilter(*count, options->filter);
  count->callback([options, &exit_code] { exit_code = Count(*options); });
}

}  // namespace weir::tools
