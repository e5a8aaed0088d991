#include "engine/admin/reload_endpoint.h"

#include <nlohmann/json.hpp>

#include "engine/admin/event_json.h"
#include "engine/admin/parameters.h"
#include "engine/admin/time_expression.h"

namespace weir::admin {

ApiReply ReloadConfiguration(const Wiring& wiring, const ApiRequest& request) {
  if (auto known = OnlyKnown(request.parameters, {}, {}); !known) {
    return Refusal(400, "bad_parameter", known.error());
  }
  if (!wiring.live || !wiring.live->reload)
    return Refusal(409, "not_running", "no server runs on this store");
  const auto report = wiring.live->reload();
  if (!report)
    return Refusal(503, "stopping", "the server is stopping; its configuration was not read again");
  ApiReply reply;
  if (!report->applied) {
    std::string message = "reload refused, nothing changed";
    for (const std::string& error : report->errors) message += '\n' + error;
    reply.status = 400;
    reply.body =
        Dump({{"error", {{"code", "bad_configuration"}, {"message", message}}}, {"errors", report->errors}});
    return reply;
  }
  reply.body = Dump({{"applied", true},
                     {"at", FormatTime(report->at_us)},
                     {"changed", report->changed},
                     {"needs_restart", report->needs_restart},
                     {"not_open", report->not_open},
                     {"notes", report->notes}});
  return reply;
}

}  // namespace weir::admin
