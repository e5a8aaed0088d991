#include "engine/admin/conflict_endpoints.h"

#include <deque>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>

#include "engine/admin/event_json.h"
#include "engine/admin/parameters.h"
#include "storage/event_codec.h"

namespace weir::admin {

namespace {

using Json = nlohmann::ordered_json;

Json ConflictJson(storage::Sequence stored, std::uint64_t hash, const storage::Event& newcomer) {
  Json json = ToJson(Summarize({.event = newcomer, .state = EventState::kConflict}));
  json["sequence"] = stored;
  json["conflict"] = storage::ConflictAddress(stored, hash);
  return json;
}

std::optional<std::pair<storage::Sequence, std::uint64_t>> ReadAddress(const ApiRequest& request) {
  return storage::ParseConflictAddress(ReadText(request.parameters, "conflict"));
}

}  // namespace

ApiReply ListConflicts(const storage::EventStore& store, const EventFilter& filter, storage::Sequence before,
                       std::size_t limit) {
  std::deque<Json> newest;
  bool finished = true;
  const auto visited = store.VisitConflicts([&](storage::Sequence stored, std::uint64_t hash,
                                                const storage::Event& newcomer) {
    if (stored >= before) return false;
    if (!Matches(filter, newcomer)) return true;
    newest.push_back(ConflictJson(stored, hash, newcomer));
    // The oldest ones go as long as those of other events are enough.
    while (newest.size() > limit && newest.front()["sequence"] != newest[newest.size() - limit]["sequence"]) {
      newest.pop_front();
      finished = false;
    }
    return true;
  });
  if (!visited) return Refusal(visited.error());
  const Json next = newest.empty() ? Json(0) : newest.front()["sequence"];
  Json events = Json::array();
  for (; !newest.empty(); newest.pop_back()) events.push_back(std::move(newest.back()));
  ApiReply reply;
  reply.body = Dump({{"events", std::move(events)}, {"before", next}, {"finished", finished}});
  return reply;
}

ApiReply CountConflicts(const storage::EventStore& store, const EventFilter& filter) {
  std::uint64_t count = 0;
  const auto visited =
      store.VisitConflicts([&](storage::Sequence, std::uint64_t, const storage::Event& newcomer) {
        if (Matches(filter, newcomer)) ++count;
        return true;
      });
  if (!visited) return Refusal(visited.error());
  ApiReply reply;
  reply.body = Dump({{"count", count}, {"next", 0}, {"finished", true}});
  return reply;
}

ApiReply ShowConflict(const storage::EventStore& store, const ApiRequest& request) {
  if (auto known = OnlyKnown(request.parameters, {}, {"conflict", "body"}); !known)
    return BadParameter(known.error());
  const auto body = ReadSwitch(request.parameters, "body");
  if (!body) return BadParameter(body.error());
  const auto address = ReadAddress(request);
  if (!address) return BadParameter("conflict: expected SEQUENCE:HASH, as listed");
  const auto record = store.ReadConflict(address->first, address->second);
  if (!record) return Refusal(record.error());
  const storage::Event newcomer = storage::Peek(record->data(), record->size());
  Json json = ConflictJson(address->first, address->second, newcomer);
  json["deliveries"] = Json::array();
  json["headers"] = HeadersJson(newcomer.headers);
  if (*body) json["body_base64"] = BodyBase64(newcomer.body);
  ApiReply reply;
  reply.body = Dump(json);
  return reply;
}

ApiReply DropConflict(storage::EventStore& store, const ApiRequest& request) {
  if (auto known = OnlyKnown(request.parameters, {}, {"conflict"}); !known)
    return BadParameter(known.error());
  const auto address = ReadAddress(request);
  if (!address) return BadParameter("conflict: expected SEQUENCE:HASH, as listed");
  if (auto dropped = store.DropConflict(address->first, address->second); !dropped) {
    return Refusal(dropped.error());
  }
  ApiReply reply;
  reply.body = Dump({{"dropped", storage::ConflictAddress(address->first, address->second)}});
  return reply;
}

}  // namespace weir::admin
