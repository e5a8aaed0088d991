// What is known of every source, as JSON: GET /api/sources, and the sources of /api/status.
//
//   [{"source","configured","received","duplicates","conflicts","rejected","refused":{CODE:N},
//     "last_received_at","last_refused":{"at","code","correlation_id","detail"},
//     "secrets":[{"secret","matched","last_matched_at"}],"latency"}]
//
// Times are null where nothing is known. Counters are of this run of the server, and missing without one: then
// the log's newest events and the quarantine's say when something last came, and when something was refused.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "engine/admin/api_request.h"
#include "engine/admin/totals.h"
#include "engine/admin/wiring.h"

namespace weir::admin {

// Of the running server.
nlohmann::ordered_json LiveSourcesJson(const Live& live, const ShardTotals& totals,
                                       const std::vector<std::string>& former);

// {"rejected","refused":{CODE:N},"last_refused"}: requests that name no source.
nlohmann::ordered_json RefusedWithoutSourceJson(const ShardTotals& totals);

// {"running":bool,"sources":[…],"without_source":{…}}; the last of a server that runs.
ApiReply ListSources(const Wiring& wiring, const ApiRequest& request);

}  // namespace weir::admin
