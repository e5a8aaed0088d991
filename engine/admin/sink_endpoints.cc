#include "engine/admin/sink_endpoints.h"

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "engine/admin/event_json.h"
#include "engine/admin/parameters.h"

namespace weir::admin {

ApiReply SkipUnreadable(const Wiring& wiring, const ApiRequest& request, std::int64_t /*now_us*/) {
  if (auto known = OnlyKnown(request.parameters, {}, {"sink"}); !known)
    return Refusal(400, "bad_parameter", known.error());
  const std::string name = ReadText(request.parameters, "sink");
  if (name.empty()) return Refusal(400, "bad_parameter", "expected sink=NAME");
  if (!wiring.live) {
    return Refusal(409, "not_running",
                   "no server runs on this directory: a sink stops, and goes on, only while one does");
  }
  std::optional<std::int64_t> stopped_at;
  wiring.live->visit_sinks([&](const observe::SinkProbe& probe) {
    if (probe.sink == name) stopped_at = probe.stopped_at.value();
  });
  if (!stopped_at ||
      !wiring.live->submit(name, {.kind = deliver::DeadLetterAction::Kind::kSkip, .sequences = {}})) {
    return Refusal(404, "unknown_sink", "no sink \"" + name + "\" is configured");
  }
  ApiReply reply;
  reply.body = Dump({{"sink", name}, {"stopped_at", *stopped_at}});
  return reply;
}

}  // namespace weir::admin
