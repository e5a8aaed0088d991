#include "engine/admin/operator_api.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <string_view>

#include "engine/admin/admit_endpoint.h"
#include "engine/admin/conflict_endpoints.h"
#include "engine/admin/cursor_endpoints.h"
#include "engine/admin/dead_letter_counts.h"
#include "engine/admin/dead_letter_endpoints.h"
#include "engine/admin/event_endpoints.h"
#include "engine/admin/event_json.h"
#include "engine/admin/parameters.h"
#include "engine/admin/quarantine_endpoints.h"
#include "engine/admin/reload_endpoint.h"
#include "engine/admin/sink_endpoints.h"
#include "engine/admin/sink_start_endpoint.h"
#include "engine/admin/source_report.h"
#include "engine/admin/status_report.h"

namespace weir::admin {

namespace {

using Kind = deliver::DeadLetterAction::Kind;

struct Call {
  const Wiring& wiring;
  SnapshotCache& snapshots;
  const ApiRequest& request;
  std::int64_t now_us;
};

ApiReply Status(const Call& call) {
  if (auto known = OnlyKnown(call.request.parameters, {}, {}); !known) {
    return Refusal(400, "bad_parameter", known.error());
  }
  const auto report = StatusReport(call.wiring, call.now_us);
  if (!report) return Refusal(report.error());
  ApiReply reply;
  reply.body = Dump(*report);
  return reply;
}

struct Endpoint {
  std::string_view method;
  std::string_view path;
  ApiReply (*answer)(const Call&);
};

constexpr std::array kEndpoints = {
    Endpoint{"GET", "/status", Status},
    Endpoint{"GET", "/sources", [](const Call& c) { return ListSources(c.wiring, c.request); }},
    Endpoint{"GET", "/events",
             [](const Call& c) { return ListEvents(c.wiring, c.snapshots, c.request, c.now_us); }},
    Endpoint{"GET", "/events/count",
             [](const Call& c) { return CountEvents(c.wiring, c.snapshots, c.request, c.now_us); }},
    Endpoint{"GET", "/events/show",
             [](const Call& c) { return ShowEvent(c.wiring, c.snapshots, c.request, c.now_us); }},
    Endpoint{"GET", "/export",
             [](const Call& c) { return ExportEvents(c.wiring, c.snapshots, c.request, c.now_us); }},
    Endpoint{"GET", "/dlq", [](const Call& c) { return ListDeadLetters(c.wiring, c.request, c.now_us); }},
    Endpoint{"GET", "/dlq/count",
             [](const Call& c) { return CountDeadLetters(c.wiring, c.request, c.now_us); }},
    Endpoint{"POST", "/dlq/retry",
             [](const Call& c) { return ActOnDeadLetters(c.wiring, c.request, Kind::kRetry, c.now_us); }},
    Endpoint{"POST", "/dlq/drop",
             [](const Call& c) { return ActOnDeadLetters(c.wiring, c.request, Kind::kDrop, c.now_us); }},
    Endpoint{"POST", "/sinks/skip",
             [](const Call& c) { return SkipUnreadable(c.wiring, c.request, c.now_us); }},
    Endpoint{"POST", "/dlq/admit",
             [](const Call& c) { return AdmitDeadLetters(c.wiring, c.request, c.now_us); }},
    Endpoint{"POST", "/conflicts/drop",
             [](const Call& c) { return DropConflict(c.wiring.store, c.request); }},
    Endpoint{"GET", "/quarantine",
             [](const Call& c) { return ListQuarantine(c.wiring, c.request, c.now_us); }},
    Endpoint{"GET", "/quarantine/show", [](const Call& c) { return ShowQuarantined(c.wiring, c.request); }},
    Endpoint{"POST", "/quarantine/admit",
             [](const Call& c) {
               return ActOnQuarantine(c.wiring, c.request, QuarantineAction::kAdmit, c.now_us);
             }},
    Endpoint{"POST", "/quarantine/drop",
             [](const Call& c) {
               return ActOnQuarantine(c.wiring, c.request, QuarantineAction::kDrop, c.now_us);
             }},
    Endpoint{"POST", "/reload", [](const Call& c) { return ReloadConfiguration(c.wiring, c.request); }},
    Endpoint{"GET", "/sinks/start",
             [](const Call& c) { return ShowSinkStart(c.wiring.store, c.request, c.now_us); }},
    Endpoint{"GET", "/cursor", [](const Call& c) { return GetCursor(c.wiring.store, c.request); }},
    Endpoint{"PUT", "/cursor", [](const Call& c) { return PutCursor(c.wiring.store, c.request); }},
};

}  // namespace

ApiReply OperatorApi::Handle(const ApiRequest& request, std::int64_t now_us) {
  std::string allowed;
  for (const Endpoint& endpoint : kEndpoints) {
    if (endpoint.path != request.path) continue;
    if (endpoint.method == request.method) return endpoint.answer({wiring_, snapshots_, request, now_us});
    allowed += (allowed.empty() ? "" : ", ") + std::string(endpoint.method);
  }
  if (allowed.empty()) return Refusal(404, "unknown_path", "the API has no such path");
  ApiReply reply = Refusal(405, "method_not_allowed", "expected " + allowed);
  reply.headers.emplace_back("Allow", allowed);
  return reply;
}

bool OperatorApi::Has(std::string_view method, std::string_view path) {
  return std::any_of(kEndpoints.begin(), kEndpoints.end(), [&](const Endpoint& endpoint) {
    return endpoint.method == method && endpoint.path == path;
  });
}

std::vector<std::string> OperatorApi::Paths(std::string_view method) {
  std::vector<std::string> paths;
  for (const Endpoint& endpoint : kEndpoints) {
    if (endpoint.method == method) paths.emplace_back(endpoint.path);
  }
  return paths;
}

}  // namespace weir::admin
