#include <algorithm>
#include <array>
#include <ctime>

#include "engine/config/captured_secret.h"
#include "engine/config/certificate_files.h"
#include "engine/config/name.h"
#include "engine/config/quantity.h"
#include "engine/config/sections.h"
#include "engine/config/suggest.h"
#include "engine/http/url.h"
#include "engine/limits.h"
#include "engine/source/key_set.h"
#include "engine/source/kinds.h"
#include "engine/source/scheme.h"
#include "engine/source/scheme_toml.h"

namespace weir::config {
namespace {

constexpr std::int64_t kSecondMs = 1'000;
constexpr std::int64_t kDayMs = 86'400'000;
constexpr std::int64_t kDedupeWindowDefaultMs = 7 * kDayMs;
// Room for the largest head beside a body, and a size that no typing mistake makes of another.
constexpr std::uint64_t kQuarantineBytesMin = 1 * limits::kMiB;
constexpr std::uint64_t kQuarantineBytesMax = std::uint64_t{64} * 1024 * limits::kMiB;
constexpr std::string_view kCustom = "custom";

std::shared_ptr<const source::Scheme> CompileCustom(TableReader& reader) {
  if (!reader.Has("scheme")) {
    reader.RawTable("scheme");
    reader.Error("scheme", "is missing; kind = \"custom\" says in [source.scheme] how its sender signs");
    return nullptr;
  }
  const toml::table* table = reader.RawTable("scheme");
  if (table == nullptr) return nullptr;
  auto scheme = source::CompileScheme(*table);
  if (scheme) return std::move(*scheme);
  const Place at = reader.At("scheme");
  for (source::SchemeError& error : scheme.error()) {
    reader.findings().Error({.line = error.line != 0 ? error.line : at.line,
                             .column = error.column,
                             .key = error.key.empty() ? at.key : at.key + '.' + error.key},
                            std::move(error.reason));
  }
  return nullptr;
}

std::string UnknownKind(const std::string& name) {
  std::vector<std::string> names = {std::string(kCustom)};
  for (const source::Kind& kind : source::Kinds()) names.push_back(kind.name);
  const std::string_view nearest = Nearest(name, names);
  return '"' + name + "\" is not a kind; " +
         (nearest.empty() ? "\"weir kinds\" lists them" : "did you mean \"" + std::string(nearest) + "\"?");
}

void ReadKind(TableReader& reader, source::Source& source) {
  if (!reader.Has("kind")) reader.Error("kind", "is missing; \"weir kinds\" lists them");
  const auto kind = reader.String("kind");
  if (!kind) {
    reader.RawTable("scheme");
    return;
  }
  source.kind = kind->value;
  if (kind->value == kCustom) {
    source.scheme = CompileCustom(reader);
    return;
  }
  reader.Misplaced("scheme", "only for kind = \"custom\"");
  if (const source::Kind* found = source::FindKind(kind->value)) {
    source.scheme = found->scheme;
    source.kind = found->name;
  } else {
    reader.Error("kind", UnknownKind(kind->value));
  }
}

void TakeCapturedSecret(TableReader& reader, const Server& server, source::Source& source) {
  auto captured = ReadCapturedSecret(server.data, source.name);
  if (!captured && IsOpenToEveryone(server.data, source.name))
    return reader.Error("", "the secret that its sender handed over: " + captured.error());
  if (!captured) {
    source.captured_secret_lost = true;
    reader.findings().Warning(reader.At(""),
                              "the secret that its sender handed over is lost, and the source answers "
                              "503 until it is back: " +
                                  captured.error());
    return;
  }
  if (!*captured) return;
  source.secrets.push_back(**std::move(captured));
  source.secret_names.emplace_back(source::kCapturedSecretName);
}

void ReadSourceSecrets(TableReader& reader, const Context& context, const Server& server,
                       source::Source& source) {
  const std::size_t errors_before = reader.findings().error_count();
  NamedSecrets secrets = ReadSecrets(reader, "secrets", context);
  source.secrets = std::move(secrets.values);
  source.secret_names = std::move(secrets.names);
  if (source.scheme) source::SplitKeySets(*source.scheme, source.secrets, source.secret_names);
  source.certificates = ReadCertificates(reader, context);
  source.certificates_by_name = reader.Has("certificates");
  if (source.certificates_by_name && !source.secrets.empty()) {
    reader.Error("certificates", "are given together with secrets; keep one");
  }
  const bool reported = reader.findings().error_count() != errors_before || source.certificates_by_name;
  const bool may_wait = source.scheme && source::TakesSecretByHandshake(*source.scheme);
  if (source.secrets.empty() && !reported && may_wait && !source.name.empty()) {
    TakeCapturedSecret(reader, server, source);
  }
  if (source.secrets.empty() && !reported && !may_wait) {
    reader.Error("secrets", std::string(reader.Has("secrets") ? "is empty" : "is missing") +
                                "; without a secret no sender can be told from another");
  }
  if (source.secrets.size() > limits::kSecretsPerSourceMax) {
    reader.Error("secrets", "are more than " + std::to_string(limits::kSecretsPerSourceMax));
  }
  for (std::size_t i = 1; i < source.secrets.size(); ++i) {
    const auto end = source.secrets.begin() + static_cast<std::ptrdiff_t>(i);
    if (std::find(source.secrets.begin(), end, source.secrets[i]) != end) {
      reader.findings().Warning(reader.At("secrets"), "two of the secrets are the same");
    }
  }
}

void ReadTimes(TableReader& reader, source::Source& source) {
  const std::int64_t kind_s = source.scheme ? source.scheme->event.dedupe_window_s : 0;
  std::int64_t window_ms = kind_s != 0 ? kind_s * kSecondMs : kDedupeWindowDefaultMs;
  reader.DurationMs("dedupe_window",
                    {source::kDedupeWindowMinS * kSecondMs, source::kDedupeWindowMaxS * kSecondMs},
                    window_ms);
  source.dedupe_window_us = window_ms * 1'000;

  if (source.scheme && !source::HasTimestamp(*source.scheme) && reader.Has("tolerance")) {
    return reader.Misplaced("tolerance", "has no meaning: a sender of this kind signs no timestamp");
  }
  std::int64_t tolerance_ms = 0;
  reader.DurationMs("tolerance", {kSecondMs, kDayMs}, tolerance_ms);
  if (tolerance_ms % kSecondMs != 0) reader.Error("tolerance", "must be whole seconds");
  if (tolerance_ms != 0) source.tolerance_s = tolerance_ms / kSecondMs;
  if (!source.scheme || reader.findings().HasError(reader.path() + ".dedupe_window")) return;
  const std::int64_t replayable_ms = source::ReplayableS(source) * kSecondMs;
  if (window_ms >= replayable_ms) return;
  if (tolerance_ms != 0) {
    reader.Error("tolerance", "is more than half the dedupe window of " + FormatDurationMs(window_ms) +
                                  "; a replay could be stored again");
  } else {
    reader.Error("dedupe_window", FormatDurationMs(window_ms) + " is less than the " +
                                      FormatDurationMs(replayable_ms) +
                                      " for which one signed request of this kind is accepted; a replay "
                                      "could be stored again");
  }
}

void ReadParameters(TableReader& reader, source::Source& source) {
  auto table = reader.Table("parameters");
  if (!table) return;
  if (!source.scheme) return;  // which ones there are is not known
  for (const source::ParameterRule& rule : source.scheme->parameters) {
    const auto text = table->String(rule.name);
    if (text && text->value.empty()) table->Error(rule.name, "is empty");
    if (text) source.parameters.emplace_back(rule.name, text->value);
  }
  table->Finish();
}

void ReadPublicUrl(TableReader& reader, source::Source& source) {
  if (const auto url = reader.String("public_url")) {
    const auto parsed = http::ParseUrl(url->value);
    if (!parsed) reader.Error("public_url", parsed.error());
    source.public_url = url->value;
  } else if (source.scheme && source::NeedsPublicUrl(*source.scheme) && !reader.Has("public_url")) {
    reader.Error("public_url", "is missing; a sender of this kind signs the URL it calls");
  }
}

// Where a problem belongs that begins with the key it is about.
Place PlaceOf(TableReader& reader, std::string_view problem) {
  const std::string key(problem.substr(0, problem.find(' ')));
  const std::string top = key.substr(0, key.find_first_of("[."));
  const bool only_insecure = top == "secrets" && !reader.Has("secrets") && reader.Has("secrets_insecure");
  Place place = reader.At(only_insecure ? "secrets_insecure" : top);
  place.key = reader.path() + '.' + key;
  return place;
}

// Whether something is said about the key already, or about the whole of what it is an element of.
bool IsReported(TableReader& reader, std::string_view key) {
  const Findings& findings = reader.findings();
  const std::string secrets = reader.path() + ".secrets";
  if (key.starts_with(secrets)) return findings.HasError(secrets) || findings.HasError(secrets + "_insecure");
  return findings.HasError(key);
}

// What only the scheme can judge, such as the form of a secret.
void ReportProblems(TableReader& reader, const source::Source& source) {
  std::vector<std::string> problems = source::ProblemsOf(source);
  // Before the first is said: several secrets may each have one.
  std::erase_if(problems,
                [&](const std::string& problem) { return IsReported(reader, PlaceOf(reader, problem).key); });
  for (const std::string& problem : problems) {
    reader.findings().Error(PlaceOf(reader, problem), problem.substr(problem.find(' ') + 1));
  }
  for (const std::string& warning : source::WarningsOf(source, std::time(nullptr))) {
    reader.findings().Warning(PlaceOf(reader, warning), warning.substr(warning.find(' ') + 1));
  }
}

void ReadQuarantine(TableReader& reader, source::Source& source) {
  reader.Size("quarantine", {kQuarantineBytesMin, kQuarantineBytesMax}, source.quarantine_bytes_max);
  if (source.quarantine_bytes_max == 0 ||
      source.quarantine_bytes_max >= source.body_bytes_max + kQuarantineBytesMin) {
    return;
  }
  const std::string reason = "is less than one request of this source can be; ";
  const std::string least = FormatSize(source.body_bytes_max + kQuarantineBytesMin);
  if (reader.Has("body") || !source.scheme || source.scheme->body_bytes == 0) {
    reader.Error("quarantine", reason + "expected at least " + least);
  } else {
    reader.findings().Warning(reader.At("quarantine"),
                              reason + "larger ones are not kept, for all it takes at least " + least);
  }
}

void ReadSource(TableReader& reader, const Context& context, const Server& server, source::Source& source) {
  const ServerLimits& limits = server.limits;
  ReadKind(reader, source);
  ReadSourceSecrets(reader, context, server, source);
  ReadTimes(reader, source);
  ReadParameters(reader, source);
  ReadPublicUrl(reader, source);

  const bool documented = source.scheme && source.scheme->body_bytes != 0 && !reader.Has("body");
  source.body_bytes_max =
      documented ? std::min(source.scheme->body_bytes, limits.inflight_bytes) : limits.body_bytes;
  reader.Size("body", {1, limits::kBodyBytesCeiling}, source.body_bytes_max);
  if (reader.Has("body") && source.body_bytes_max > limits.inflight_bytes) {
    reader.Error("body", "is more than server.limits.inflight_bytes, " + FormatSize(limits.inflight_bytes));
  }
  ReadQuarantine(reader, source);
  static constexpr std::array<std::string_view, 2> kOnMalformed = {"dead-letter", "reject"};
  if (const auto choice = reader.Choice("on_malformed", kOnMalformed)) source.reject_malformed = *choice == 1;
  if (source.scheme) source.on_conflict = source.scheme->event.on_conflict;
  static constexpr std::array<std::string_view, 3> kOnConflict = {"duplicate", "store", "reject"};
  if (const auto choice = reader.Choice("on_conflict", kOnConflict)) {
    source.on_conflict = static_cast<source::OnConflict>(*choice);
  }
  reader.Boolean("allow_unsigned_type", source.allow_unsigned_type);
  if (source.allow_unsigned_type && source.scheme && source.scheme->event.type_signed) {
    reader.findings().Warning(reader.At("allow_unsigned_type"),
                              "changes nothing: the signature of this kind covers the type");
  }
  for (const std::string_view key : {"allow_from", "rate"}) reader.Unavailable(key);
  reader.Finish();

  if (source.scheme) ReportProblems(reader, source);
}

}  // namespace

void ReadSources(TableReader& document, const Context& context, const Server& server,
                 std::vector<source::Source>& sources) {
  std::vector<TableReader> readers = document.Tables("source");
  if (readers.empty() && !document.Has("source")) {
    document.findings().Error({}, "there is no [[source]]; nobody could send anything");
  }
  if (readers.size() > limits::kSourcesMax) {
    document.Error("source", "is given more than " + std::to_string(limits::kSourcesMax) + " times");
    return;
  }
  std::vector<std::string> names;
  for (TableReader& reader : readers) {
    source::Source source;
    if (auto name = ReadName(reader, limits::kSourceNameBytesMax, names)) {
      names.push_back(*name);
      source.name = std::move(*name);
    }
    source.index = static_cast<std::uint32_t>(sources.size());
    ReadSource(reader, context, server, source);
    sources.push_back(std::move(source));
  }
}

}  // namespace weir::config
