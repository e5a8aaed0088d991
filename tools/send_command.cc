#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/config/address.h"
#include "engine/http/url.h"
#include "engine/source/scheme.h"
#include "tools/commands.h"
#include "tools/config_file.h"
#include "tools/event_sender.h"
#include "tools/outgoing_event.h"
#include "tools/progress.h"
#include "tools/signing_input.h"
#include "tools/standard_output.h"
#include "tools/text_table.h"

namespace weir::tools {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kEventsMax = 100'000;  // more is load, and load is weir-bench's
constexpr std::size_t kListedMax = 10;       // answers shown one by one; more are counted

struct SendOptions {
  std::string config;
  std::string source;
  std::string type;
  std::string id;
  std::string body;
  std::string url;
  std::string secret;
  std::size_t count = 1;
  std::size_t duplicates = 0;
  bool tamper = false;
  bool stale = false;
  bool json = false;
};

struct SentEvent {
  std::string id;
  Answer answer;
  bool expected;
};

std::int64_t NowUs() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

bool IsInHeader(const source::Extractor& extractor) {
  return std::ranges::any_of(extractor.parts, [](const source::ExtractorPart& part) {
    return std::ranges::any_of(part.first_of, [](const source::Location& location) {
      return location.from == source::Location::From::kHeader;
    });
  });
}

// What --id or --type cannot change, because the sender of this kind says it in the body, and that is given.
std::string UselessBeside(const SendOptions& options, const source::EventRules& event) {
  if (options.body.empty()) return "";
  const bool id = !options.id.empty() && !IsInHeader(event.id);
  const bool type = !options.type.empty() && !IsInHeader(event.type);
  if (!id && !type) return "";
  return std::string(id ? "--id" : "--type") +
         " has no effect with --body: this kind says it in the body; write it there, or leave --body out";
}

Forgery ForgeryOf(const SendOptions& options) {
  if (options.tamper) return Forgery::kTampered;
  return options.stale ? Forgery::kStale : Forgery::kNone;
}

// Where the server listens, as seen from this machine.
CommandResult<std::string> ServerUrl(const config::Config& config) {
  config::Address address = config.server.listen.front();
  if (address.port == 0) {
    return std::unexpected(
        CommandFailure{kUsage, "the server listens on a port of the kernel's choice; give --url"});
  }
  if (address.host == "0.0.0.0") address.host = "127.0.0.1";
  if (address.host == "::") address.host = "::1";
  return "http://" + config::ToString(address);
}

// `--url` may be the server's or the source's own.
CommandResult<std::string> TargetUrl(const SendOptions& options, const config::Config& config) {
  std::string base = options.url;
  if (base.empty()) {
    auto server = ServerUrl(config);
    if (!server) return server;
    base = std::move(*server);
  }
  const auto url = http::ParseUrl(base);
  if (!url) return std::unexpected(CommandFailure{kUsage, "--url: " + url.error()});
  if (url->target != "/") return base;
  if (base.ends_with('/')) base.pop_back();
  return base + "/webhooks/" + options.source;
}

CommandResult<std::vector<SentEvent>> SendAll(const SendOptions& options, const EventRecipe& recipe,
                                              EventSender& sender) {
  const auto refusal = RefusalStatus(*recipe.source.scheme, recipe.forgery);
  const std::size_t total = options.count * (1 + options.duplicates);
  std::vector<SentEvent> sent;
  Progress progress("sent", "events");
  for (std::size_t number = 1; number <= options.count; ++number) {
    const auto event = MakeEvent(recipe, number, NowUs() / 1'000'000);
    if (!event) return std::unexpected(CommandFailure{kUsage, event.error()});
    for (std::size_t copy = 0; copy <= options.duplicates; ++copy) {
      auto answer = sender.Send(*event);
      if (!answer) {
        const std::string which = std::to_string(sent.size() + 1) + " of " + std::to_string(total);
        return std::unexpected(
            CommandFailure{kNotReachable, "no answer to event " + which + ": " + answer.error()});
      }
      const bool expected = refusal ? answer->status == *refusal : answer->status / 100 == 2;
      const std::string& id = answer->event_id.empty() ? event->id : answer->event_id;
      sent.push_back({.id = id, .answer = std::move(*answer), .expected = expected});
      progress.Update(sent.size(), static_cast<double>(sent.size()) / static_cast<double>(total));
    }
  }
  return sent;
}

using Counts = std::map<std::pair<int, std::string>, std::size_t>;

Counts CountByAnswer(const std::vector<SentEvent>& sent) {
  Counts counts;
  for (const SentEvent& event : sent) ++counts[{event.answer.status, event.answer.result}];
  return counts;
}

void PrintListed(const std::vector<SentEvent>& sent) {
  TextTable table({{.title = "STATUS"},
                   {.title = "RESULT"},
                   {.title = "SEQUENCE", .align = TextTable::Align::kRight},
                   {.title = "EVENT"}});
  for (const auto& [id, answer, expected] : sent) {
    table.Add({std::to_string(answer.status), answer.result,
               answer.sequence ? std::to_string(*answer.sequence) : "-", id});
  }
  Print(table.Text());
}

void PrintCounted(const std::vector<SentEvent>& sent) {
  TextTable table(
      {{.title = "STATUS"}, {.title = "RESULT"}, {.title = "EVENTS", .align = TextTable::Align::kRight}});
  for (const auto& [answer, count] : CountByAnswer(sent)) {
    table.Add({std::to_string(answer.first), answer.second, std::to_string(count)});
  }
  Print(table.Text());
}

void PrintJson(const std::vector<SentEvent>& sent, std::size_t expected) {
  Json json = {{"sent", sent.size()}, {"as_expected", expected}};
  json["answers"] = Json::array();
  for (const auto& [answer, count] : CountByAnswer(sent)) {
    json["answers"].push_back({{"status", answer.first}, {"result", answer.second}, {"events", count}});
  }
  json["events"] = Json::array();
  for (const SentEvent& event : sent) {
    json["events"].push_back(
        {{"id", event.id},
         {"status", event.answer.status},
         {"result", event.answer.result},
         {"sequence", event.answer.sequence ? Json(*event.answer.sequence) : Json(nullptr)}});
  }
  Print(json.dump(2, ' ', false, Json::error_handler_t::replace) + '\n');
}

int Report(const std::vector<SentEvent>& sent, bool json) {
  const auto expected = static_cast<std::size_t>(std::ranges::count_if(sent, &SentEvent::expected));
  if (json) {
    PrintJson(sent, expected);
  } else {
    sent.size() <= kListedMax ? PrintListed(sent) : PrintCounted(sent);
    Print("sent " + std::to_string(sent.size()) + ", answered as expected " + std::to_string(expected) +
          '\n');
  }
  return Finish(expected == sent.size() ? kDone : kFoundWrong);
}

int Send(const SendOptions& options) {
  const auto config = LoadOrReport(options.config);
  if (!config) return kUsage;
  const auto source = std::ranges::find(config->sources, options.source, &source::Source::name);
  if (source == config->sources.end()) {
    return Fail({kUsage, options.config + " has no source \"" + options.source + '"'});
  }
  if (const auto useless = UselessBeside(options, source->scheme->event); !useless.empty()) {
    return Fail({kUsage, useless});
  }
  if (!source::Delivers(*source->scheme, http::Method::kPost)) {
    return Fail({kUsage, "events of source \"" + options.source + "\" come by " +
                             source::AllowedMethods(*source->scheme) + ", and weir sends by POST alone"});
  }
  const auto url = TargetUrl(options, *config);
  if (!url) return Fail(url.error());
  auto sender = EventSender::Create(*url);
  if (!sender) return Fail({kUsage, sender.error()});

  EventRecipe recipe{.source = *source,
                     .forgery = ForgeryOf(options),
                     .id_prefix = options.id.empty() ? "evt_" + std::to_string(NowUs()) : options.id,
                     .numbered = options.count > 1,
                     .type = options.type,
                     .body = {}};
  if (!options.body.empty()) {
    auto body = ReadBody(options.body);
    if (!body) return Fail(body.error());
    recipe.body = std::move(*body);
  }
  if (!options.secret.empty()) {
    auto secret = SecretOf(options.secret);
    if (!secret) return Fail(secret.error());
    recipe.secret = std::move(*secret);
  }
  const auto sent = SendAll(options, recipe, *sender);
  return sent ? Report(*sent, options.json) : Fail(sent.error());
}

}  // namespace

void AddSendCommand(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<SendOptions>();
  CLI::App* command = app.add_subcommand("send", "Sign and send events to a running server");
  command->footer(
      "Signs with the first secret of the source, or with --secret: kinds whose senders sign with a private "
      "key\n"
      "(PayPal, SendGrid, Discord, …) need that of a test key pair, whose public half the source has.\n"
      "Senders that sign inside the body (SNS, Mailgun, Adyen) or in the query cannot be played, nor those "
      "that do "
      "not POST.\n"
      "Exits 0 when every answer is the one to expect: a 2xx, or with --tamper and --stale the refusal; 1 "
      "otherwise;\n"
      "3 when the server does not answer.\n\n"
      "Example:\n"
      "  weir send --config weir.toml --source stripe --type invoice.paid --count 10\n"
      "  weir send --config weir.toml --source stripe --duplicate 2\n"
      "  weir send --config weir.toml --source stripe --tamper");
  command->add_option("--config", options->config, "Configuration file of the server")->required();
  command->add_option("--source", options->source, "The source to send as")->required();
  command->add_option("--type", options->type, "Event type; by default one that the kind's sender sends");
  command->add_option("--id", options->id, "Event id; with --count, what ids begin with. Made up by default");
  command->add_option("--body", options->body, "File with the body, - is stdin; by default a sample");
  command->add_option("--secret", options->secret,
                      "The sender's secret or private key instead, or where it is");
  command->add_option("--count", options->count, "Events to send")
      ->check(CLI::Range(std::size_t{1}, kEventsMax));
  command->add_option("--url", options->url,
                      "The server's or the source's URL; by default from [server] listen");
  auto* tamper = command->add_flag("--tamper", options->tamper, "Change each event after it was signed");
  auto* stale = command->add_flag("--stale", options->stale, "Sign with a time outside the tolerance");
  auto* duplicate = command->add_option("--duplicate", options->duplicates, "Send each event N further times")
                        ->check(CLI::Range(std::size_t{1}, kEventsMax));
  tamper->excludes(stale)->excludes(duplicate);
  stale->excludes(duplicate);
  command->add_flag("--json", options->json, "JSON instead of text");
  command->callback([options, &exit_code] { exit_code = Send(*options); });
}

}  // namespace weir::tools
