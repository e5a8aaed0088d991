#include "engine/refusal_watch.h"

#include <algorithm>
#include <numeric>

#include "engine/observe/log.h"

namespace weir {

namespace {

using observe::RejectionCode;

constexpr auto kMethod = static_cast<std::size_t>(RejectionCode::kMethodNotAllowed);

// What the quarantine keeps is what failed its verification.
bool MayBeKept(RejectionCode code) {
  using enum RejectionCode;
  return code == kMissingSignature || code == kMalformedSignature || code == kInvalidSignature ||
         code == kStaleTimestamp || code == kKeyUnavailable || code == kUnsupportedEncoding ||
         code == kMissingField || code == kMalformedPayload;
}

}  // namespace

void RefusalWatch::AddUp(const observe::SourceProbe& probe, Sums& sums) {
  for (std::size_t code = 0; code < kCodes; ++code) {
    sums.refused[code] += probe.rejected[code].value();
    const std::int64_t at_us = probe.last_refused[code].at_us.value();
    if (at_us < sums.last_at_us[code]) continue;
    sums.last_at_us[code] = at_us;
    sums.last_request_id[code] = probe.last_refused[code].request_id.load(std::memory_order_relaxed);
    if (at_us != 0) sums.last_detail[code] = probe.last_refused[code].detail.value();
  }
  sums.accepted += probe.duplicates.value() + probe.conflicts.value() + probe.handshakes.value();
  for (std::size_t i = 0; i < probe.type_count(); ++i) sums.accepted += probe.type(i).count.value();
}

std::vector<RefusalWatch::Notice> RefusalWatch::Look(const std::vector<const observe::ShardProbe*>& shards,
                                                     std::int64_t now_ms) {
  std::map<std::string, Sums> sources;
  for (const observe::ShardProbe* shard : shards) {
    for (std::size_t i = 0; i < shard->source_count(); ++i) {
      AddUp(shard->source(i), sources[shard->source(i).source]);
    }
  }
  std::vector<Notice> notices;
  for (const auto& [source, sums] : sources) {
    Told& told = told_[source];
    TellCodes(source, sums, told, now_ms, notices);
    if (!source.empty()) JudgeSource(source, sums, told, now_ms, notices);
  }
  return notices;
}

void RefusalWatch::TellCodes(const std::string& source, const Sums& sums, Told& told, std::int64_t now_ms,
                             std::vector<Notice>& notices) {
  for (std::size_t code = 0; code < kCodes; ++code) {
    const std::uint64_t count = sums.refused[code] - told.refused[code];
    if (count == 0 || now_ms - told.line_ms[code].value_or(now_ms - kLineIntervalMs) < kLineIntervalMs)
      continue;
    told.refused[code] = sums.refused[code];
    told.line_ms[code] = now_ms;
    notices.push_back({.kind = Notice::Kind::kRefused,
                       .source = source,
                       .code = static_cast<RejectionCode>(code),
                       .count = count,
                       .request_id = sums.last_request_id[code],
                       .for_ms = 0,
                       .detail = sums.last_detail[code]});
  }
}

void RefusalWatch::JudgeSource(const std::string& source, const Sums& sums, Told& told, std::int64_t now_ms,
                               std::vector<Notice>& notices) {
  // Whoever looks at the address with a browser is no sender that is turned away.
  const std::uint64_t by_method = sums.refused[kMethod] - told.unaccepted_by_method;
  const std::uint64_t all = std::reduce(sums.refused.begin(), sums.refused.end());
  const bool looks_in = by_method < kLooksInMax;
  const std::uint64_t refused = looks_in ? all - by_method : all;
  Notice notice{.kind = Notice::Kind::kAllRefused,
                .source = source,
                .count = refused - told.unaccepted,
                .for_ms = now_ms - told.refusing_since_ms.value_or(now_ms)};
  if (sums.accepted > told.accepted) {
    notice.kind = Notice::Kind::kAcceptsAgain;
    if (told.alarm_ms) notices.push_back(notice);
    told.accepted = sums.accepted;
    told.unaccepted = all;
    told.unaccepted_by_method = sums.refused[kMethod];
    told.refusing_since_ms.reset();
    told.refusing_methods_since_ms.reset();
    told.alarm_ms.reset();
    return;
  }
  if (by_method > 0 && !told.refusing_methods_since_ms) told.refusing_methods_since_ms = now_ms;
  if (refused <= told.unaccepted) return;
  if (!told.refusing_since_ms) {
    told.refusing_since_ms = looks_in ? now_ms : told.refusing_methods_since_ms.value_or(now_ms);
  }
  const bool due = told.alarm_ms ? refused > told.alarmed && now_ms - *told.alarm_ms >= kAlarmIntervalMs
                                 : now_ms - *told.refusing_since_ms >= kAlarmAfterMs;
  if (!due) return;
  std::size_t last = 0;
  for (std::size_t code = 1; code < kCodes; ++code) {
    if (code == kMethod && looks_in) continue;
    if (sums.last_at_us[code] > sums.last_at_us[last]) last = code;
  }
  notice.code = static_cast<RejectionCode>(last);
  notice.request_id = sums.last_request_id[last];
  notice.detail = sums.last_detail[last];
  told.alarm_ms = now_ms;
  told.alarmed = refused;
  notices.push_back(std::move(notice));
}

std::string HintFor(const RefusalWatch::Notice& notice, const RefusalHints& hints) {
  const auto id = observe::RequestIdText(notice.request_id);
  if (MayBeKept(notice.code)) {
    const std::string explain = "weir explain --config " + hints.config_file + " --quarantine ";
    if (hints.kept) return explain + std::string(id.data(), id.size());
    return "add quarantine = \"64MiB\" to this source to keep what it refuses, then " + explain + "ID";
  }
  switch (notice.code) {
    case RejectionCode::kOverloaded:
    case RejectionCode::kRateLimited:
      return "weir status --data " + hints.data;
    case RejectionCode::kUnknownSource:
    case RejectionCode::kMethodNotAllowed:
      return "weir sources list --data " + hints.data;
    case RejectionCode::kIdConflict:
      // What is refused is not kept: the sender was told.
      return "weir events list --data " + hints.data +
             " shows the event that has the id; on_conflict = \"duplicate\" or \"store\" keeps what comes "
             "under it";
    case RejectionCode::kBodyTooLarge:
    case RejectionCode::kTooMuchChunkFraming:
      return "raise `body` of the source, or of [server.limits] where it has none; weir check --config " +
             hints.config_file + " prints what is in force";
    case RejectionCode::kHeadersTooLarge:
      return "raise `headers` of [server.limits]";
    case RejectionCode::kTimeout:
      return "the sender is slower than `header_timeout` or `body_timeout` of [server.limits]";
    default:
      // Nothing of it is kept: the sender's copy is all there is to look at.
      return "weir explain --config " + hints.config_file + " request.txt";
  }
}

void Log(const RefusalWatch::Notice& notice, const RefusalHints& hints) {
  const auto id = observe::RequestIdText(notice.request_id);
  const std::string_view correlation_id(id.data(), id.size());
  const std::string_view code = observe::RejectionCodeName(notice.code);
  switch (notice.kind) {
    case RefusalWatch::Notice::Kind::kRefused:
      return observe::log::Warn("requests refused", {{"source", notice.source},
                                                     {"code", code},
                                                     {"count", notice.count},
                                                     {"correlation_id", correlation_id},
                                                     {"detail", notice.detail},
                                                     {"explain", HintFor(notice, hints)}});
    case RefusalWatch::Notice::Kind::kAllRefused:
      return observe::log::Error("ALARM: this source refuses everything that is sent to it",
                                 {{"source", notice.source},
                                  {"refused", notice.count},
                                  {"accepted", 0},
                                  {"for_seconds", notice.for_ms / 1000},
                                  {"code", code},
                                  {"correlation_id", correlation_id},
                                  {"detail", notice.detail},
                                  {"explain", HintFor(notice, hints)}});
    case RefusalWatch::Notice::Kind::kAcceptsAgain:
      return observe::log::Warn(
          "alarm over: this source accepts again",
          {{"source", notice.source}, {"refused", notice.count}, {"for_seconds", notice.for_ms / 1000}});
  }
}

}  // namespace weir
