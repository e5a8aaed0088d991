#include <algorithm>
#include <array>
#include <filesystem>
#include <system_error>

#include "engine/config/file_place.h"
#include "engine/config/name.h"
#include "engine/config/sections.h"
#include "engine/config/start.h"
#include "engine/http/url.h"
#include "engine/limits.h"
#include "engine/source/encoding.h"

namespace weir::config {
namespace {

constexpr std::int64_t kSecondMs = 1'000;
constexpr std::int64_t kHourMs = 3'600'000;
constexpr std::int64_t kDayMs = 24 * kHourMs;

constexpr std::array<std::string_view, 7> kKinds = {"http",  "file",     "kafka",   "nats",
                                                    "redis", "rabbitmq", "postgres"};
constexpr std::size_t kKindsAvailable = 2;
constexpr std::array<std::string_view, 5> kHttpKeys = {"url", "timeout", "secret", "secret_insecure",
                                                       "dead_letter_statuses"};
constexpr std::array<std::string_view, 3> kFileKeys = {"path", "rotate_size", "rotate_age"};

constexpr std::string_view kSigningPrefix = "whsec_";
constexpr std::size_t kSigningKeyBytesWanted = 24;

std::optional<SinkKind> ReadSinkKind(TableReader& reader) {
  if (!reader.Has("kind")) reader.Error("kind", R"(is missing; "http" or "file")");
  const auto choice = reader.Choice("kind", kKinds);
  if (!choice) return std::nullopt;
  if (*choice >= kKindsAvailable) {
    reader.Error("kind", '"' + std::string(kKinds[*choice]) +
                             R"(" is not available in this build; "http" and "file" are)");
    return std::nullopt;
  }
  return *choice == 0 ? SinkKind::kHttp : SinkKind::kFile;
}

void ReadUrl(TableReader& reader, Sink& sink) {
  if (!reader.Has("url")) reader.Error("url", "is missing");
  const auto text = reader.String("url");
  if (!text) return;
  const auto url = http::ParseUrl(text->value);
  if (!url) return reader.Error("url", url.error());
  if (url->https) {
    return reader.Error(
        "url", "https is not available in this build; use http to a proxy on this host that speaks TLS");
  }
  sink.url = text->value;
}

// "whsec_" and base64, or raw text (Standard Webhooks 1.0.0); what engine/sink signs with.
void CheckSigningSecret(TableReader& reader, const std::string& secret) {
  const std::string_view key = reader.Has("secret") ? "secret" : "secret_insecure";
  std::size_t key_bytes = secret.size();
  if (secret.starts_with(kSigningPrefix)) {
    const std::string_view encoded = std::string_view(secret).substr(kSigningPrefix.size());
    std::vector<std::uint8_t> decoded(encoded.size());
    const auto size = source::DecodeBase64(encoded, decoded, source::Base64Form::kPadded);
    if (!size || *size == 0) return reader.Error(key, "starts with whsec_ but what follows is not base64");
    key_bytes = *size;
  }
  if (key_bytes < kSigningKeyBytesWanted) {
    reader.findings().Warning(reader.At(key), "is shorter than the " +
                                                  std::to_string(kSigningKeyBytesWanted) +
                                                  " bytes that Standard Webhooks asks for");
  }
}

void ReadHttp(TableReader& reader, const Context& context, Sink& sink) {
  ReadUrl(reader, sink);
  reader.DurationMs("timeout", {kSecondMs / 10, kHourMs}, sink.timeout_ms);
  if (auto secret = ReadSecret(reader, "secret", context)) {
    CheckSigningSecret(reader, *secret);
    sink.secrets.push_back(std::move(*secret));
  }
  if (reader.Has("dead_letter_statuses")) sink.dead_letter_statuses.clear();
  for (const auto& [status, place] : reader.Integers("dead_letter_statuses")) {
    if (status < 300 || status > 599) {
      reader.findings().Error(place, std::to_string(status) + " is outside 300..599");
    } else {
      sink.dead_letter_statuses.push_back(static_cast<int>(status));
    }
  }
  for (const std::string_view key : kFileKeys) reader.Misplaced(key, R"(only for kind = "file")");
}

void ReadFile(TableReader& reader, const Context& context, Sink& sink) {
  if (!reader.Has("path")) reader.Error("path", "is missing");
  if (const auto path = reader.String("path")) {
    if (path->value.empty() || path->value.ends_with('/')) reader.Error("path", "is not the name of a file");
    sink.path = InDirectory(context, path->value);
  }
  reader.Size("rotate_size", {4 * limits::kKiB, std::uint64_t{1} << 50}, sink.rotate_bytes);
  std::int64_t rotate_age_ms = 0;
  reader.DurationMs("rotate_age", {0, 366 * kDayMs}, rotate_age_ms);
  if (rotate_age_ms % kSecondMs != 0) reader.Error("rotate_age", "must be whole seconds");
  sink.rotate_age_s = rotate_age_ms / kSecondMs;
  for (const std::string_view key : kHttpKeys) reader.Misplaced(key, R"(only for kind = "http")");
}

void JudgePlace(TableReader& reader, const Context& context, const Sink& sink, const Server& server,
                const std::vector<Sink>& earlier) {
  if (IsSameFile(sink.path, context.file))
    return reader.Error("path", "is this configuration, which events would be appended to");
  if (LiesWithin(sink.path, server.data)) {
    return reader.Error(
        "path", "is inside the data directory, which holds nothing but the store; name a place outside of " +
                    server.data.string());
  }
  const bool taken = std::ranges::any_of(
      earlier, [&](const Sink& other) { return !other.path.empty() && IsSameFile(other.path, sink.path); });
  if (taken) reader.Error("path", "is written by an earlier sink already");
}

// Events appended to a secret or a certificate would be read as one at the next reload.
void JudgeAgainstWhatIsRead(const Context& context, const Sink& sink, const Place& place,
                            Findings& findings) {
  const auto is_read = [&](const std::filesystem::path& read) {
    std::error_code unknown;
    return IsSameFile(sink.path, read) ||
           (std::filesystem::is_directory(read, unknown) && LiesWithin(sink.path, read));
  };
  const auto found = std::ranges::find_if(context.read, is_read);
  if (found == context.read.end()) return;
  findings.Error(place, "is where a secret or a certificate is read from (" + found->string() +
                            "), and events would be appended to it");
}

void ReadRetry(TableReader& reader, RetryPolicy& retry) {
  reader.Count("attempts", {1, 1000}, retry.attempts);
  reader.DurationMs("first", {1, kDayMs}, retry.first_ms);
  reader.Number("factor", {1.0, 100.0}, retry.factor);
  reader.DurationMs("max", {1, 7 * kDayMs}, retry.max_ms);
  reader.Number("jitter", {0.0, 1.0}, retry.jitter);
  if (retry.max_ms < retry.first_ms) {
    reader.Error(reader.Has("max") ? "max" : "first", "the first delay is longer than the longest");
  }
  reader.Finish();
}

void ReadBreaker(TableReader& reader, Breaker& breaker) {
  reader.Count("failures", {1, 1'000'000}, breaker.failures);
  reader.DurationMs("open", {1, kDayMs}, breaker.open_ms);
  reader.Finish();
}

void ReadStart(TableReader& reader, Start& start) {
  const auto text = reader.String("start");
  if (!text) return;
  const auto parsed = ParseStart(text->value);
  if (!parsed) return reader.Error("start", parsed.error());
  start = *parsed;
}

void ReadSink(TableReader& reader, const Context& context, Sink& sink) {
  const auto kind = ReadSinkKind(reader);
  if (kind) sink.kind = *kind;
  reader.Count("concurrency", {1, limits::kSinkConcurrencyMax}, sink.concurrency);
  if (auto table = reader.Table("retry")) ReadRetry(*table, sink.retry);
  if (auto table = reader.Table("breaker")) ReadBreaker(*table, sink.breaker);
  ReadStart(reader, sink.start);
  ReadForwardHeaders(reader, sink);
  reader.Unavailable("rate");
  if (!kind) return;  // which further keys belong here is not known
  switch (*kind) {
    case SinkKind::kHttp:
      ReadHttp(reader, context, sink);
      break;
    case SinkKind::kFile:
      ReadFile(reader, context, sink);
      break;
  }
  reader.Finish();
}

}  // namespace

void ReadSinks(TableReader& document, const Context& context, const Server& server, std::vector<Sink>& sinks,
               std::vector<SinkPlaces>& places) {
  std::vector<TableReader> readers = document.Tables("sink");
  if (readers.size() > limits::kSinksMax) {
    document.Error("sink", "is given more than " + std::to_string(limits::kSinksMax) + " times");
    return;
  }
  std::vector<std::string> names;
  for (TableReader& reader : readers) {
    Sink sink;
    if (auto name = ReadName(reader, limits::kSinkNameBytesMax, names)) {
      names.push_back(*name);
      sink.name = std::move(*name);
    }
    ReadSink(reader, context, sink);
    if (!sink.path.empty()) JudgePlace(reader, context, sink, server, sinks);
    places.push_back(
        {.target = reader.At(sink.kind == SinkKind::kFile ? "path" : "url"), .start = reader.At("start")});
    sinks.push_back(std::move(sink));
  }
  // When all secrets are known, those of later sinks too.
  for (std::size_t i = 0; i < sinks.size(); ++i) {
    if (!sinks[i].path.empty())
      JudgeAgainstWhatIsRead(context, sinks[i], places[i].target, document.findings());
  }
}

}  // namespace weir::config
