#include "engine/admin/sink_start_endpoint.h"

#include <nlohmann/json.hpp>

#include "engine/admin/event_json.h"
#include "engine/admin/parameters.h"
#include "engine/config/start.h"
#include "engine/deliver/sink_start.h"

namespace weir::admin {

ApiReply ShowSinkStart(const storage::EventStore& store, const ApiRequest& request, std::int64_t now_us) {
  if (auto known = OnlyKnown(request.parameters, {}, {"sink", "start"}); !known) {
    return Refusal(400, "bad_parameter", known.error());
  }
  config::Sink sink;
  sink.name = ReadText(request.parameters, "sink");
  const auto start = config::ParseStart(ReadText(request.parameters, "start"));
  if (!start) return Refusal(400, "bad_parameter", "start: " + start.error());
  sink.start = *start;
  const auto found = deliver::FindSinkStarts(store, {&sink, 1}, now_us);
  if (!found) return Refusal(400, "bad_parameter", found.error());
  const deliver::SinkStart& where = found->front();
  ApiReply reply;
  reply.body = Dump({{"sink", where.sink},
                     {"known", where.known},
                     {"first_sequence", where.first},
                     {"events_before", where.before},
                     {"events_waiting", where.waiting},
                     {"note", deliver::Describe(where)}});
  return reply;
}

}  // namespace weir::admin
