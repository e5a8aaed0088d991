#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "engine/source/kinds.h"
#include "engine/source/signer.h"
#include "tools/commands.h"
#include "tools/config_file.h"
#include "tools/signing_input.h"
#include "tools/standard_output.h"

namespace weir::tools {
namespace {

struct SignOptions {
  std::string kind;
  std::string config;
  std::string source;
  std::string secret;
  std::string body = "-";
  std::string id;
  std::string type;
  std::string url;
  std::vector<std::string> parameters;
  std::optional<std::int64_t> at;
  bool json = false;
};

// Who signs: a kind and a secret, or a source of a configuration.
struct Sender {
  std::shared_ptr<const source::Scheme> scheme;
  std::string secret;
  std::string url;
  std::vector<std::pair<std::string, std::string>> parameters;
};

CommandResult<Sender> SenderOfKind(const SignOptions& options) {
  const source::Kind* kind = source::FindKind(options.kind);
  if (kind == nullptr) {
    return std::unexpected(
        CommandFailure{kUsage, "there is no kind \"" + options.kind + "\"; weir kinds lists them"});
  }
  if (options.secret.empty()) return std::unexpected(CommandFailure{kUsage, "--kind needs --secret"});
  return Sender{.scheme = kind->scheme, .secret = {}, .url = {}, .parameters = {}};
}

CommandResult<Sender> SenderOfSource(const SignOptions& options) {
  auto config = LoadOrReport(options.config);
  if (!config) return std::unexpected(CommandFailure{kUsage, options.config + " cannot be used"});
  const auto found = std::ranges::find(config->sources, options.source, &source::Source::name);
  if (found == config->sources.end()) {
    return std::unexpected(
        CommandFailure{kUsage, options.config + " has no source \"" + options.source + '"'});
  }
  return Sender{.scheme = found->scheme,
                .secret = found->secrets.empty() ? "" : found->secrets.front(),
                .url = found->public_url,
                .parameters = found->parameters};
}

CommandResult<Sender> SenderOf(const SignOptions& options) {
  auto sender = options.kind.empty() ? SenderOfSource(options) : SenderOfKind(options);
  if (!sender) return sender;
  if (!options.url.empty()) sender->url = options.url;
  for (const std::string& parameter : options.parameters) {
    const std::size_t sign = parameter.find('=');
    sender->parameters.emplace_back(parameter.substr(0, sign), parameter.substr(sign + 1));
  }
  if (options.secret.empty()) return sender;
  auto secret = SecretOf(options.secret);
  if (!secret) return std::unexpected(secret.error());
  sender->secret = std::move(*secret);
  return sender;
}

std::int64_t NowS() {
  return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

void PrintHeaders(const source::HeaderList& headers, bool json) {
  if (!json) {
    std::string lines;
    for (const auto& [name, value] : headers) lines.append(name).append(": ").append(value).append("\n");
    Print(lines);
    return;
  }
  nlohmann::ordered_json object = nlohmann::ordered_json::object();
  for (const auto& [name, value] : headers) object[name] = value;
  Print(object.dump(2) + '\n');
}

int Sign(const SignOptions& options) {
  if (options.kind.empty() == (options.config.empty() || options.source.empty())) {
    return Fail({kUsage, "give --kind and --secret, or --config and --source"});
  }
  const auto sender = SenderOf(options);
  if (!sender) return Fail(sender.error());
  const auto body = ReadBody(options.body);
  if (!body) return Fail(body.error());
  const auto headers = source::Sign(*sender->scheme, {.secret = sender->secret,
                                                      .body = *body,
                                                      .at_unix_s = options.at.value_or(NowS()),
                                                      .id = options.id,
                                                      .type = options.type,
                                                      .url = sender->url,
                                                      .parameters = sender->parameters});
  if (!headers) return Fail({kUsage, headers.error()});
  PrintHeaders(*headers, options.json);
  return Finish(kDone);
}

}  // namespace

void AddSignCommand(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<SignOptions>();
  CLI::App* command = app.add_subcommand("sign", "Print the headers a provider of that kind would send");
  command->footer(
      "The secret is a literal, env:NAME, file:PATH or cred:NAME; a literal can be read by others while the\n"
      "command runs. A custom scheme is named by --config and --source, with the first secret of that "
      "source.\n\n"
      "Example:\n"
      "  weir sign --kind stripe --secret env:STRIPE_SECRET --body event.json\n"
      "  weir sign --config weir.toml --source acme < event.json\n"
      "  weir sign --kind paypal --secret file:test-key.pem --parameter webhook_id=WH-1 < event.json");
  auto* kind = command->add_option("--kind", options->kind, "A kind, see weir kinds");
  auto* config = command->add_option("--config", options->config, "Configuration file, with --source");
  auto* source = command->add_option("--source", options->source, "A source of the configuration");
  kind->excludes(config)->excludes(source);
  config->needs(source);
  source->needs(config);
  command->add_option("--secret", options->secret, "The secret, or where it is");
  command->add_option("--body", options->body, "File with the body; - (the default) is stdin");
  command->add_option("--at", options->at, "Unix time of the signature; now by default");
  command->add_option("--id", options->id, "Event id, for kinds that carry it in a header");
  command->add_option("--type", options->type, "Event type, likewise");
  command
      ->add_option("--parameter", options->parameters,
                   "NAME=VALUE, for kinds that sign what the source's parameters say, such as webhook_id")
      ->check([](const std::string& text) {
        return text.find('=') == std::string::npos ? text + " is not NAME=VALUE" : std::string();
      });
  command->add_option("--url", options->url, "The URL called, for kinds that sign it");
  command->add_flag("--json", options->json, "A JSON object instead of header lines");
  command->callback([options, &exit_code] { exit_code = Sign(*options); });
}

}  // namespace weir::tools
