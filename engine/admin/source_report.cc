#include "engine/admin/source_report.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <numeric>
#include <utility>

#include "engine/admin/event_json.h"
#include "engine/admin/known_sources.h"
#include "engine/admin/latency_json.h"
#include "engine/admin/parameters.h"
#include "engine/admin/time_expression.h"
#include "engine/limits.h"

namespace weir::admin {

namespace {

using Json = nlohmann::ordered_json;

Json TimeJson(std::int64_t unix_us) {
  return unix_us == 0 ? Json(nullptr) : Json(FormatTime(unix_us));
}

std::string Text(std::uint64_t request_id) {
  const auto text = observe::RequestIdText(request_id);
  return {text.data(), text.size()};
}

Json LastRefusalJson(const SourceTotals& totals) {
  const auto newest = std::ranges::max_element(totals.last_refused, {}, &LastRefusal::at_us);
  if (newest->at_us == 0) return nullptr;
  const auto code = static_cast<observe::RejectionCode>(newest - totals.last_refused.begin());
  return {{"at", FormatTime(newest->at_us)},
          {"code", observe::RejectionCodeName(code)},
          {"correlation_id", Text(newest->request_id)},
          {"detail", newest->detail.empty() ? Json(nullptr) : Json(newest->detail)}};
}

Json RefusedJson(const SourceTotals& totals) {
  Json refused = Json::object();
  for (std::size_t i = 0; i < totals.rejected.size(); ++i) {
    if (totals.rejected[i] == 0) continue;
    refused[std::string(observe::RejectionCodeName(static_cast<observe::RejectionCode>(i)))] =
        totals.rejected[i];
  }
  return refused;
}

Json SecretsJson(const SourceTotals& totals) {
  Json secrets = Json::array();
  for (const auto& [name, secret] : totals.secrets) {
    secrets.push_back({{"secret", name},
                       {"matched", secret.matched},
                       {"last_matched_at", TimeJson(secret.last_matched_us)}});
  }
  return secrets;
}

// The newest refused request of each source that its quarantine kept.
Json LastKept(quarantine::Shelf& shelf, const std::string& source) {
  Json last = nullptr;
  std::vector<quarantine::Torn> torn;
  const auto visited =
      shelf.Visit(source, std::nullopt, torn, [&](const quarantine::Place&, const quarantine::Entry& entry) {
        last = {{"at", FormatTime(entry.received_at_us)},
                {"code", entry.reason},
                {"correlation_id", entry.request_id}};
        return true;
      });
  return visited ? last : Json(nullptr);
}

storage::StoreResult<Json> StoredSourcesJson(const Wiring& wiring, const std::vector<KnownSource>& known) {
  const auto last = LastReceivedInLog(wiring.store, limits::kAdminScanEventsMax);
  if (!last) return std::unexpected(last.error());
  std::map<std::string, bool> names;
  for (const auto& [name, at_us] : *last) names[name] = false;
  for (const KnownSource& source : known) names[source.name] = source.configured;
  quarantine::Shelf shelf(wiring.data / quarantine::kDirectoryName);
  Json sources = Json::array();
  for (const auto& [name, configured] : names) {
    const auto found = last->find(name);
    sources.push_back({{"source", name},
                       {"configured", configured},
                       {"last_received_at", found == last->end() ? Json(nullptr) : TimeJson(found->second)},
                       {"last_refused", LastKept(shelf, name)}});
  }
  return sources;
}

}  // namespace

Json LiveSourcesJson(const Live& live, const ShardTotals& totals, const std::vector<std::string>& former) {
  Json sources = Json::array();
  for (const auto& [name, source] : totals.sources) {
    if (name.empty()) continue;
    sources.push_back(
        {{"source", name},
         {"configured", std::ranges::find(former, name) == former.end()},
         {"received", source.received},
         {"duplicates", source.duplicates},
         {"conflicts", source.conflicts},
         {"rejected", std::accumulate(source.rejected.begin(), source.rejected.end(), std::uint64_t{0})},
         {"refused", RefusedJson(source)},
         {"last_received_at", TimeJson(LastReceivedUs(live.last_received_before, name, source))},
         {"last_refused", LastRefusalJson(source)},
         {"secrets", SecretsJson(source)},
         {"latency", LatencyJson(source.duration_ns)}});
  }
  return sources;
}

Json RefusedWithoutSourceJson(const ShardTotals& totals) {
  const auto found = totals.sources.find("");
  const SourceTotals none = found == totals.sources.end() ? SourceTotals{} : found->second;
  return {{"rejected", std::accumulate(none.rejected.begin(), none.rejected.end(), std::uint64_t{0})},
          {"refused", RefusedJson(none)},
          {"last_refused", LastRefusalJson(none)}};
}

ApiReply ListSources(const Wiring& wiring, const ApiRequest& request) {
  if (auto known = OnlyKnown(request.parameters, {}, {}); !known) {
    return Refusal(400, "bad_parameter", known.error());
  }
  const auto known = KnownSources(wiring.store);
  if (!known) return Refusal(known.error());
  Json json = {{"running", wiring.live.has_value()}};
  if (wiring.live) {
    const ShardTotals totals = AddUp(wiring.live->shards);
    json["sources"] = LiveSourcesJson(*wiring.live, totals, FormerNames(*known));
    json["without_source"] = RefusedWithoutSourceJson(totals);
  } else {
    auto sources = StoredSourcesJson(wiring, *known);
    if (!sources) return Refusal(sources.error());
    json["sources"] = std::move(*sources);
  }
  ApiReply reply;
  reply.body = Dump(json);
  return reply;
}

}  // namespace weir::admin
