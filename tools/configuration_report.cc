#include "tools/configuration_report.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "engine/admin/printable.h"
#include "engine/config/address.h"
#include "engine/config/quantity.h"
#include "engine/config/start.h"
#include "engine/descriptor_budget.h"
#include "engine/descriptor_limit.h"
#include "engine/source/scheme.h"
#include "tools/memory_ceiling.h"
#include "tools/text_table.h"

namespace weir::tools {
namespace {

using Json = nlohmann::ordered_json;
using config::FormatDurationMs;
using config::FormatSize;

std::string PathOf(const source::Source& source) {
  return "/webhooks/" + source.name;
}

// Milliseconds; nullopt where a sender of this kind signs no timestamp, or one whose age says nothing.
std::optional<std::int64_t> ToleranceMs(const source::Source& source) {
  if (source.tolerance_s != source::kKindTolerance) return source.tolerance_s * 1000;
  for (const source::Proof& proof : source.scheme->proofs) {
    if (proof.timestamp && proof.timestamp->bounded) return proof.timestamp->past_s * 1000;
  }
  return std::nullopt;
}

std::string Joined(const std::vector<std::string>& words, std::string_view when_empty) {
  if (words.empty()) return std::string(when_empty);
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

std::vector<std::string> SinksOf(const config::Config& config, const source::Source& source) {
  std::vector<std::string> sinks;
  for (const config::Route& route : config.routes) {
    if (route.source != "*" && route.source != source.name) continue;
    if (std::ranges::find(sinks, route.sink) == sinks.end()) sinks.push_back(route.sink);
  }
  return sinks;
}

std::string KindOf(const config::Sink& sink) {
  return sink.kind == config::SinkKind::kHttp ? "http" : "file";
}
std::string TargetOf(const config::Sink& sink) {
  return sink.kind == config::SinkKind::kHttp ? sink.url : sink.path.string();
}
std::string AckOf(const config::Server& server) {
  return server.ack == config::AckMode::kFsync ? "fsync" : "os";
}

std::string ServerText(const config::Config& config) {
  const config::Server& server = config.server;
  std::string text;
  for (const config::Address& address : server.listen) {
    text += (text.empty() ? "listen   " : "         ") + config::ToString(address) + '\n';
  }
  text += "threads  " + std::to_string(server.threads) + "\nack      " + AckOf(server) + "\ndata     " +
          admin::Printable(server.data.string()) + "\nkept     " +
          (server.retention_ms == 0 ? std::string("for good") : FormatDurationMs(server.retention_ms)) +
          "\nadmin    ";
  if (config.admin.listen) {
    text += config::ToString(*config.admin.listen) +
            (config.admin.token.empty() ? ", no token: metrics and health only" : ", token set");
  } else {
    text += "on the socket only";
  }
  return text + '\n';
}

// Two tables: one for what a sender needs to know, one for what is asked of it.
std::string SourcesText(const config::Config& config) {
  TextTable addresses({{.title = "SOURCE"}, {.title = "KIND"}, {.title = "POST TO"}, {.title = "SINKS"}});
  TextTable rules({{.title = "SOURCE"},
                   {.title = "SECRETS", .align = TextTable::Align::kRight},
                   {.title = "TOLERANCE"},
                   {.title = "DEDUPE"},
                   {.title = "BODY"},
                   {.title = "QUARANTINE"}});
  for (const source::Source& source : config.sources) {
    const auto tolerance = ToleranceMs(source);
    addresses.Add(
        {source.name, source.kind, PathOf(source), Joined(SinksOf(config, source), "none: stored only")});
    rules.Add({source.name, std::to_string(source.secrets.size()),
               tolerance ? FormatDurationMs(*tolerance) : "-",
               FormatDurationMs(source.dedupe_window_us / 1000), FormatSize(source.body_bytes_max),
               source.quarantine_bytes_max == 0 ? "-" : FormatSize(source.quarantine_bytes_max)});
  }
  return addresses.Text() + '\n' + rules.Text();
}

std::string SinksText(const config::Config& config) {
  if (config.sinks.empty()) return "";
  TextTable table({{.title = "SINK"},
                   {.title = "KIND"},
                   {.title = "TO"},
                   {.title = "ATTEMPTS", .align = TextTable::Align::kRight},
                   {.title = "FIRST RETRY"},
                   {.title = "CONCURRENCY", .align = TextTable::Align::kRight}});
  for (const config::Sink& sink : config.sinks) {
    table.Add({sink.name, KindOf(sink), TargetOf(sink), std::to_string(sink.retry.attempts),
               FormatDurationMs(sink.retry.first_ms), std::to_string(sink.concurrency)});
  }
  return '\n' + table.Text();
}

std::string RoutesText(const config::Config& config) {
  if (config.routes.empty()) return "";
  TextTable table({{.title = "FROM"}, {.title = "TYPES"}, {.title = "TO"}});
  for (const config::Route& route : config.routes)
    table.Add({route.source, Joined(route.types, "*"), route.sink});
  return '\n' + table.Text();
}

std::string MemoryText(const config::Config& config) {
  const auto parts = MemoryCeiling(config);
  TextTable table({{.title = "MEMORY CEILING"}, {.title = "", .align = TextTable::Align::kRight}});
  const auto mebibytes = [](std::uint64_t bytes) {
    return std::to_string((bytes + (1u << 20) - 1) >> 20) + " MiB";
  };
  for (const MemoryPart& part : parts) table.Add({part.name, mebibytes(part.bytes)});
  table.Add({"total", mebibytes(Total(parts))});
  return '\n' + table.Text();
}

// What this command may open is what a server started the same way may.
std::string DescriptorsText(const config::Config& config) {
  const auto budget = BudgetDescriptors(RaiseDescriptorLimit(), ShapeOf(config));
  if (!budget) return "\nserve will refuse to start: " + budget.error() + '\n';
  TextTable table({{.title = "DESCRIPTORS"}, {.title = "", .align = TextTable::Align::kRight}});
  table.Add({"connections of senders", std::to_string(budget->connections)});
  table.Add({"the store's tables", std::to_string(budget->store_files)});
  table.Add({"connections to sinks", std::to_string(budget->sink_connections())});
  table.Add({"reserved", std::to_string(budget->reserved + budget->refusals)});
  table.Add({"limit", std::to_string(budget->limit)});
  std::string text = '\n' + table.Text();
  if (budget->connections < config.server.limits.connections) {
    text += "connections: " + std::to_string(config.server.limits.connections) +
            " are configured; raise the limit of open files (ulimit -n, LimitNOFILE=)\n";
  }
  config::Config capped;
  capped.sinks = config.sinks;
  for (const std::string& lowered : CapSinks(capped, *budget)) text += lowered + '\n';
  return text;
}

Json DescriptorsJson(const config::Config& config) {
  const auto budget = BudgetDescriptors(RaiseDescriptorLimit(), ShapeOf(config));
  if (!budget) return {{"error", budget.error()}};
  return {{"limit", budget->limit},
          {"connections", budget->connections},
          {"store_files", budget->store_files},
          {"sink_connections", budget->sink_connections()},
          {"reserved", budget->reserved + budget->refusals}};
}

Json ServerJson(const config::Config& config) {
  const config::Server& server = config.server;
  Json listen = Json::array();
  for (const config::Address& address : server.listen) listen.push_back(config::ToString(address));
  const config::ServerLimits& limits = server.limits;
  return {{"listen", std::move(listen)},
          {"data", server.data.string()},
          {"threads", server.threads},
          {"ack", AckOf(server)},
          {"drain_timeout_ms", server.drain_timeout_ms},
          {"retention_ms", server.retention_ms},
          {"limits",
           {{"body_bytes", limits.body_bytes},
            {"header_bytes", limits.header_bytes},
            {"connections", limits.connections},
            {"header_timeout_ms", limits.header_timeout_ms},
            {"body_timeout_ms", limits.body_timeout_ms},
            {"idle_timeout_ms", limits.idle_timeout_ms},
            {"inflight_bytes", limits.inflight_bytes},
            {"min_free_disk_bytes", limits.min_free_disk_bytes}}}};
}

Json SourceJson(const config::Config& config, const source::Source& source) {
  const auto tolerance = ToleranceMs(source);
  Json secret_names = Json::array();
  for (std::size_t i = 0; i < source.secrets.size(); ++i)
    secret_names.push_back(source::SecretName(source, i));
  return {{"name", source.name},
          {"kind", source.kind},
          {"path", PathOf(source)},
          {"secrets", source.secrets.size()},
          {"secret_names", std::move(secret_names)},
          {"tolerance_ms", tolerance ? Json(*tolerance) : Json(nullptr)},
          {"dedupe_window_ms", source.dedupe_window_us / 1000},
          {"body_bytes", source.body_bytes_max},
          {"quarantine_bytes", source.quarantine_bytes_max},
          {"on_malformed", source.reject_malformed ? "reject" : "dead-letter"},
          {"public_url", source.public_url.empty() ? Json(nullptr) : Json(source.public_url)},
          {"sinks", SinksOf(config, source)}};
}

Json SinkJson(const config::Sink& sink) {
  Json json = {{"name", sink.name}, {"kind", KindOf(sink)}};
  if (sink.kind == config::SinkKind::kHttp) {
    json["url"] = sink.url;
    json["timeout_ms"] = sink.timeout_ms;
    json["signed"] = !sink.secrets.empty();
    json["dead_letter_statuses"] = sink.dead_letter_statuses;
  } else {
    json["path"] = sink.path.string();
    json["rotate_bytes"] = sink.rotate_bytes;
    json["rotate_age_s"] = sink.rotate_age_s;
  }
  json["concurrency"] = sink.concurrency;
  json["start"] = config::FormatStart(sink.start);
  json["retry"] = {{"attempts", sink.retry.attempts},
                   {"first_ms", sink.retry.first_ms},
                   {"factor", sink.retry.factor},
                   {"max_ms", sink.retry.max_ms},
                   {"jitter", sink.retry.jitter}};
  json["breaker"] = {{"failures", sink.breaker.failures}, {"open_ms", sink.breaker.open_ms}};
  return json;
}

Json ErrorJson(const config::ConfigError& error) {
  return {{"file", error.file},
          {"line", error.line},
          {"column", error.column},
          {"key", error.key},
          {"reason", error.reason}};
}

Json ErrorList(const std::vector<config::ConfigError>& errors) {
  Json list = Json::array();
  for (const config::ConfigError& error : errors) list.push_back(ErrorJson(error));
  return list;
}

// Bytes of the file that are not UTF-8 must not make the report fail.
std::string Dump(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + '\n';
}

}  // namespace

std::string ConfigurationText(const config::Config& config, const std::vector<std::string>& notes) {
  std::string text = ServerText(config) + '\n' + SourcesText(config) + SinksText(config) +
                     RoutesText(config) + MemoryText(config) + DescriptorsText(config);
  if (!notes.empty()) text += '\n';
  for (const std::string& note : notes) text += admin::PrintableSentence(note) + '\n';
  return text;
}

std::string ConfigurationJson(const config::Config& config, const std::vector<std::string>& notes) {
  Json json = {{"valid", true}, {"file", config.file.string()}, {"server", ServerJson(config)}};
  json["admin"] = {
      {"listen", config.admin.listen ? Json(config::ToString(*config.admin.listen)) : Json(nullptr)},
      {"token", !config.admin.token.empty()}};
  json["sources"] = Json::array();
  for (const source::Source& source : config.sources) json["sources"].push_back(SourceJson(config, source));
  json["sinks"] = Json::array();
  for (const config::Sink& sink : config.sinks) json["sinks"].push_back(SinkJson(sink));
  json["routes"] = Json::array();
  for (const config::Route& route : config.routes) {
    json["routes"].push_back({{"source", route.source}, {"types", route.types}, {"sink", route.sink}});
  }
  json["memory_ceiling_bytes"] = Total(MemoryCeiling(config));
  for (const MemoryPart& part : MemoryCeiling(config)) json["memory_parts"][part.name] = part.bytes;
  json["descriptors"] = DescriptorsJson(config);
  json["warnings"] = ErrorList(config.warnings);
  json["notes"] = notes;
  return Dump(json);
}

std::string ErrorsJson(const std::vector<config::ConfigError>& errors) {
  return Dump({{"valid", false}, {"errors", ErrorList(errors)}});
}

}  // namespace weir::tools
