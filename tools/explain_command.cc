#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>

#include "engine/admin/printable.h"
#include "engine/admin/time_expression.h"
#include "engine/ingest/route.h"
#include "engine/quarantine/shelf.h"
#include "engine/source/encoding.h"
#include "engine/source/explanation.h"
#include "tools/commands.h"
#include "tools/config_file.h"
#include "tools/json_text.h"
#include "tools/signing_input.h"
#include "tools/standard_output.h"

namespace weir::tools {
namespace {

using Json = nlohmann::ordered_json;

struct ExplainOptions {
  std::string config;
  std::string source;
  std::string request = "-";
  std::string quarantined;
  std::optional<std::string> at;
  bool signed_bytes = false;
  bool json = false;
};

// What is to be explained, and by what.
struct Case {
  const source::Source* source = nullptr;
  source::CapturedRequest request;
  std::int64_t received_at_us = 0;
};

std::int64_t NowUs() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

// The source that the listener would take the request for, if it is one.
std::optional<std::string> SourceInTarget(std::string_view target) {
  http::Request request;
  request.path = target.substr(0, target.find('?'));
  std::string unescaped;
  const ingest::Route route = ingest::RouteOf(request, unescaped);
  if (route.kind != ingest::Route::Kind::kSource) return std::nullopt;
  return std::string(route.source);
}

// The last part of "/hooks/stripe?x=1": behind a proxy, paths are its own.
std::string LastPartOf(std::string_view target) {
  target = target.substr(0, target.find('?'));
  return std::string(target.substr(target.rfind('/') + 1));
}

CommandResult<const source::Source*> SourceOf(const config::Config& config, const std::string& named,
                                              const source::CapturedRequest& request) {
  const auto in_target = SourceInTarget(request.target);
  const std::string name = !named.empty() ? named : in_target ? *in_target : LastPartOf(request.target);
  const auto found = std::ranges::find(config.sources, name, &source::Source::name);
  if (found != config.sources.end()) return &*found;
  const bool names_one = in_target.has_value();
  if (named.empty() && !names_one && config.sources.size() == 1) return &config.sources.front();
  if (named.empty() && names_one) {
    return std::unexpected(CommandFailure{
        kUsage,
        "the request is for source \"" + name +
            "\", which the configuration has not (unknown_source, answered 404); --source tries another"});
  }
  return std::unexpected(
      CommandFailure{kUsage, named.empty() ? "the request does not say which source it was for; give --source"
                                           : "the configuration has no source \"" + named + '"'});
}

// Read from the files themselves: the API hides what a signature is made of.
CommandResult<Case> ReadQuarantined(const ExplainOptions& options, const config::Config& config) {
  quarantine::Shelf shelf(config.server.data / quarantine::kDirectoryName);
  auto place = quarantine::ParsePlace(options.quarantined);
  if (!place) place = shelf.FindByRequestId(options.quarantined).value_or(std::nullopt);
  auto entry = place ? shelf.Find(*place) : std::nullopt;
  if (!entry) {
    return std::unexpected(CommandFailure{
        kFoundWrong, options.quarantined + " is not in the quarantine of " + config.server.data.string()});
  }
  source::CapturedRequest request{.method = std::move(entry->method),
                                  .target = std::move(entry->target),
                                  .headers = source::ParseHeaderBlock(entry->headers),
                                  .body = std::move(entry->body)};
  const auto source = SourceOf(config, options.source.empty() ? entry->source : options.source, request);
  if (!source) return std::unexpected(source.error());
  return Case{.source = *source, .request = std::move(request), .received_at_us = entry->received_at_us};
}

CommandResult<Case> ReadCase(const ExplainOptions& options, const config::Config& config) {
  if (!options.quarantined.empty()) return ReadQuarantined(options, config);
  const auto bytes = ReadBody(options.request);
  if (!bytes) return std::unexpected(bytes.error());
  auto request = source::ParseCapture(*bytes);
  if (!request) return std::unexpected(CommandFailure{kUsage, options.request + ": " + request.error()});
  const auto source = SourceOf(config, options.source, *request);
  if (!source) return std::unexpected(source.error());
  const std::int64_t now_us = NowUs();
  return Case{.source = *source,
              .request = *std::move(request),
              .received_at_us = options.at ? admin::ParseTime(*options.at, now_us).value_or(now_us) : now_us};
}

// Every byte that is not printable ASCII as an escape, so that nothing of what is signed stays unseen.
std::string Quoted(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out.append({'\\', c});
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\r') {
      out += "\\r";
    } else if (c == '\t') {
      out += "\\t";
    } else if (byte < 0x20 || byte > 0x7e) {
      out.append({'\\', 'x', kDigits[byte >> 4], kDigits[byte & 0xf]});
    } else {
      out.push_back(c);
    }
  }
  return out + '"';
}

std::string Base64(std::string_view text) {
  std::string out;
  source::AppendBase64(out, std::span(reinterpret_cast<const std::uint8_t*>(text.data()), text.size()),
                       source::Base64Form::kPadded);
  return out;
}

Json ProofJson(const source::SignedView& proof) {
  Json json = {{"proof", proof.proof},           {"algorithm", proof.algorithm},
               {"signature_in", proof.location}, {"received", proof.received},
               {"signed_base64", Json::array()}, {"expected", Json::array()},
               {"timestamp", proof.timestamp},   {"note", proof.note}};
  for (const std::string& text : proof.texts) json["signed_base64"].push_back(Base64(text));
  for (const auto& expected : proof.expected) {
    json["expected"].push_back(
        {{"secret", expected.secret}, {"signed", expected.text}, {"signature", expected.masked}});
  }
  return json;
}

void PrintJson(const Case& subject, const source::Explanation& explanation) {
  Json json = {{"source", subject.source->name},
               {"kind", subject.source->kind},
               {"received_at", admin::FormatTime(subject.received_at_us)},
               {"verdict", explanation.verdict},
               {"authentic", explanation.authentic}};
  if (explanation.secret) json["secret"] = *explanation.secret;
  if (explanation.status != 0) json["status"] = explanation.status;
  if (!explanation.cause.empty()) json["cause"] = explanation.cause;
  json["notes"] = subject.request.notes;
  json["proofs"] = Json::array();
  for (const source::SignedView& proof : explanation.proofs) json["proofs"].push_back(ProofJson(proof));
  json["findings"] = Json::array();
  for (const source::Finding& finding : explanation.findings) {
    json["findings"].push_back({{"mistake", source::MistakeName(finding.mistake)}, {"text", finding.text}});
  }
  Print(json.dump(2, ' ', false, Json::error_handler_t::replace) + '\n');
}

void PrintProof(const source::SignedView& proof) {
  Print("\nproof " + (proof.proof.empty() ? proof.algorithm : proof.proof + ", " + proof.algorithm) +
        ", signature in " + admin::PrintableSentence(proof.location) + "\n");
  for (std::size_t i = 0; i < proof.texts.size(); ++i) {
    PrintField("  signed", std::to_string(proof.texts[i].size()) + " bytes");
    Print("    " + Quoted(proof.texts[i]) + "\n");
    for (const auto& expected : proof.expected) {
      if (expected.text != i) continue;
      Print("  expected:   " + expected.masked + "  with secrets[" + std::to_string(expected.secret) + "]\n");
    }
  }
  for (const std::string& received : proof.received) Print("  received:   " + received + "\n");
  if (proof.received.empty()) Print("  received:   none\n");
  if (!proof.note.empty()) PrintField("  note", proof.note);
}

void PrintText(const Case& subject, const source::Explanation& explanation) {
  PrintField("source", subject.source->name + ", kind " + subject.source->kind);
  PrintField("request", subject.request.method + ' ' + subject.request.target + ", " +
                            std::to_string(subject.request.headers.size()) + " header fields, " +
                            std::to_string(subject.request.body.size()) + " bytes of body");
  PrintField("received", admin::FormatTime(subject.received_at_us));
  std::string verdict = explanation.verdict;
  if (explanation.status != 0) verdict += ", answered " + std::to_string(explanation.status);
  if (explanation.secret) verdict += ", by secrets[" + std::to_string(*explanation.secret) + "]";
  PrintField("verdict", verdict);
  for (const std::string& note : subject.request.notes) PrintField("note", note);
  for (const source::SignedView& proof : explanation.proofs) PrintProof(proof);
  if (explanation.authentic) return;
  Print("\n");
  for (const source::Finding& finding : explanation.findings)
    Print(admin::PrintableSentence(finding.text) + "\n");
  if (explanation.findings.empty()) {
    Print(admin::PrintableSentence(explanation.cause) + "\n");
  }
}

int Explain(const ExplainOptions& options) {
  const auto config = LoadOrReport(options.config);
  if (!config) return kUsage;
  const auto subject = ReadCase(options, *config);
  if (!subject) return Fail(subject.error());
  const source::Explanation explanation =
      source::Explain(*subject->source, config->sources, subject->request, subject->received_at_us);
  if (options.signed_bytes) {
    if (explanation.proofs.empty() || explanation.proofs.front().texts.empty()) {
      return Fail({kFoundWrong, "nothing is signed in this request"});
    }
    Print(explanation.proofs.front().texts.front());
  } else if (options.json) {
    PrintJson(*subject, explanation);
  } else {
    PrintText(*subject, explanation);
  }
  return Finish(explanation.authentic ? kDone : kFoundWrong);
}

}  // namespace

void AddExplainCommand(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<ExplainOptions>();
  CLI::App* command = app.add_subcommand("explain", "Why a request is refused, and what would make it match");
  command->footer(
      "REQUEST is a file with the request as it came: request line, header fields, an empty line, the body, "
      "byte\n"
      "for byte. The output of curl -i and curl -v is taken too. No server is needed. The signed bytes are "
      "printed,\n"
      "signatures only by their beginning, secrets never. Exits 0 when the request is authentic, 1 when "
      "not.\n\n"
      "Example:\n"
      "  weir explain --config weir.toml --source stripe request.txt\n"
      "  weir explain --config weir.toml --source stripe --at 2026-11-21T09:30:00Z < request.txt\n"
      "  weir explain --config weir.toml --quarantine stripe:1795307765:8\n"
      "  weir explain --config weir.toml --source stripe --signed request.txt | openssl sha256 -hmac "
      "\"$SECRET\"");
  command->add_option("--config", options->config, "Configuration file")->required();
  command->add_option("--source", options->source,
                      "A source of the configuration; by default from the request line");
  auto* request =
      command->add_option("request", options->request, "File with the request; - (the default) is stdin");
  auto* quarantined =
      command
          ->add_option("--quarantine", options->quarantined,
                       "One of the quarantine instead, as weir quarantine list names it, or by the "
                       "X-Request-Id of its answer")
          ->excludes(request);
  command
      ->add_option("--at", options->at,
                   "When it was received: 2026-11-21T09:30:00Z, or 15m, 2h ago; now by default")
      ->check([](const std::string& text) {
        const auto time = admin::ParseTime(text, NowUs());
        return time ? std::string() : time.error();
      })
      ->excludes(quarantined);
  auto* signed_bytes =
      command->add_flag("--signed", options->signed_bytes, "Print the signed bytes and nothing else");
  command->add_flag("--json", options->json, "JSON instead of text")->excludes(signed_bytes);
  command->callback([options, &exit_code] { exit_code = Explain(*options); });
}

}  // namespace weir::tools
