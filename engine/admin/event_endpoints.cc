#include "engine/admin/event_endpoints.h"

#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

#include "engine/admin/conflict_endpoints.h"
#include "engine/admin/event_json.h"
#include "engine/admin/event_query.h"
#include "engine/admin/export_page.h"
#include "engine/admin/parameters.h"
#include "engine/limits.h"
#include "storage/event_codec.h"

namespace weir::admin {

namespace {

using Json = nlohmann::ordered_json;

constexpr auto kSequenceMax = std::numeric_limits<storage::Sequence>::max() - 1;

storage::StoreResult<SharedSnapshot> SnapshotFor(SnapshotCache& snapshots, bool goes_on,
                                                 std::int64_t now_us) {
  return goes_on ? snapshots.Recent(now_us) : snapshots.Fresh(now_us);
}

Json ToJson(const Unreadable& unreadable) {
  return {{"count", unreadable.count}, {"sequences", unreadable.named}};
}

std::string ToHeader(const Unreadable& unreadable) {
  std::string text = std::to_string(unreadable.count);
  for (const storage::Sequence sequence : unreadable.named) text += ' ' + std::to_string(sequence);
  return text;
}

ApiReply Answer(Json body, const Unreadable& unreadable) {
  if (unreadable.count > 0) body["unreadable"] = ToJson(unreadable);
  ApiReply reply;
  reply.body = Dump(body);
  return reply;
}

// The filter and the one place parameter that the walking endpoints have in common.
struct Walk {
  EventFilter filter;
  storage::Sequence place = 0;
  SharedSnapshot snapshot;
};

std::expected<Walk, ApiReply> ReadWalk(const Wiring& wiring, SnapshotCache& snapshots,
                                       const ApiRequest& request, std::string_view place_name,
                                       storage::Sequence place_absent, std::int64_t now_us) {
  auto filter = ReadEventFilter(wiring, request.parameters, now_us);
  if (!filter) return std::unexpected(BadParameter(filter.error()));
  const auto place = ReadNumber(request.parameters, place_name, place_absent, 0, kSequenceMax);
  if (!place) return std::unexpected(BadParameter(place.error()));
  auto snapshot = SnapshotFor(snapshots, request.parameters.contains(place_name), now_us);
  if (!snapshot) return std::unexpected(Refusal(snapshot.error()));
  return Walk{.filter = std::move(*filter), .place = *place, .snapshot = std::move(*snapshot)};
}

// The only event that its sender calls so: the index knows whole names, the log what they begin with.
std::expected<storage::Sequence, ApiReply> FindNamed(const storage::EventStore& store,
                                                     const ApiRequest& request,
                                                     const DeliverySnapshot& snapshot) {
  const EventFilter wanted{.source = ReadText(request.parameters, "source"),
                           .type = {},
                           .id = ReadText(request.parameters, "id"),
                           .since_us = std::nullopt,
                           .until_us = std::nullopt,
                           .state = std::nullopt};
  const auto whole = store.Find(wanted.source, wanted.id);
  if (whole) return *whole;
  if (whole.error().code != storage::StoreErrorCode::kNotFound)
    return std::unexpected(Refusal(whole.error()));
  std::vector<storage::Sequence> found;
  const auto step = ScanBackward(store, snapshot, wanted, kSequenceMax, limits::kAdminScanEventsMax,
                                 [&found](const EventSummary& event) {
                                   found.push_back(event.sequence);
                                   return found.size() < limits::kAdminRowsMax;
                                 });
  if (!step) return std::unexpected(Refusal(step.error()));
  if (found.size() == 1) return found.front();
  if (found.empty()) return std::unexpected(Refusal(whole.error()));
  std::string sequences;
  for (const storage::Sequence sequence : found) {
    sequences += (sequences.empty() ? "" : ", ") + std::to_string(sequence);
  }
  return std::unexpected(Refusal(409, "several_events", "the sender gave this id to events " + sequences));
}

}  // namespace

ApiReply ListEvents(const Wiring& wiring, SnapshotCache& snapshots, const ApiRequest& request,
                    std::int64_t now_us) {
  if (auto known = OnlyKnown(request.parameters, kEventFilters, {"limit", "before"}); !known) {
    return BadParameter(known.error());
  }
  const auto limit =
      ReadNumber(request.parameters, "limit", limits::kAdminRowsDefault, 1, limits::kAdminRowsMax);
  if (!limit) return BadParameter(limit.error());
  const auto walk = ReadWalk(wiring, snapshots, request, "before", kSequenceMax, now_us);
  if (!walk) return walk.error();

  if (walk->filter.state == EventState::kConflict) {
    return ListConflicts(wiring.store, walk->filter, walk->place, *limit);
  }
  Json events = Json::array();
  const auto step = ScanBackward(wiring.store, *walk->snapshot, walk->filter, walk->place,
                                 limits::kAdminScanEventsMax, [&](const EventSummary& event) {
                                   events.push_back(ToJson(event));
                                   return events.size() < *limit;
                                 });
  if (!step) return Refusal(step.error());
  return Answer({{"events", std::move(events)}, {"before", step->next}, {"finished", step->finished}},
                step->unreadable);
}

ApiReply CountEvents(const Wiring& wiring, SnapshotCache& snapshots, const ApiRequest& request,
                     std::int64_t now_us) {
  if (auto known = OnlyKnown(request.parameters, kEventFilters, {"from"}); !known)
    return BadParameter(known.error());
  const auto walk = ReadWalk(wiring, snapshots, request, "from", 1, now_us);
  if (!walk) return walk.error();

  if (walk->filter.state == EventState::kConflict) return CountConflicts(wiring.store, walk->filter);
  if (walk->filter == EventFilter{}) {
    ApiReply reply;
    reply.body = Dump({{"count", wiring.store.CountFrom(walk->place)},
                       {"next", wiring.store.last_sequence() + 1},
                       {"finished", true}});
    return reply;
  }
  std::uint64_t count = 0;
  const auto step = ScanForward(wiring.store, *walk->snapshot, walk->filter, walk->place,
                                limits::kAdminScanEventsMax, [&count](const Found&) {
                                  ++count;
                                  return true;
                                });
  if (!step) return Refusal(step.error());
  return Answer({{"count", count}, {"next", step->next}, {"finished", step->finished}}, step->unreadable);
}

ApiReply ShowEvent(const Wiring& wiring, SnapshotCache& snapshots, const ApiRequest& request,
                   std::int64_t now_us) {
  const Parameters& parameters = request.parameters;
  if (parameters.contains("conflict")) return ShowConflict(wiring.store, request);
  if (auto known = OnlyKnown(parameters, {}, {"sequence", "source", "id", "body"}); !known) {
    return BadParameter(known.error());
  }
  const auto sequence = ReadNumber(parameters, "sequence", storage::kNoSequence, 1, kSequenceMax);
  if (!sequence) return BadParameter(sequence.error());
  const auto body = ReadSwitch(parameters, "body");
  if (!body) return BadParameter(body.error());
  if (*sequence == storage::kNoSequence && !(parameters.contains("source") && parameters.contains("id"))) {
    return BadParameter("expected sequence, or source and id");
  }

  const auto snapshot = snapshots.Fresh(now_us);
  if (!snapshot) return Refusal(snapshot.error());
  std::expected<storage::Sequence, ApiReply> found = *sequence;
  if (*sequence == storage::kNoSequence) found = FindNamed(wiring.store, request, **snapshot);
  if (!found) return found.error();
  const auto record = wiring.store.ReadRecord(*found);
  if (!record) return Refusal(record.error());
  const auto event = storage::Decode(*record);
  if (!event)
    return Refusal(500, "store_corruption", "event " + std::to_string(*found) + " fails its checksum");
  ApiReply reply;
  reply.body = Dump(DetailJson(*event, **snapshot, wiring, {.body = *body}));
  return reply;
}

ApiReply ExportEvents(const Wiring& wiring, SnapshotCache& snapshots, const ApiRequest& request,
                      std::int64_t now_us) {
  const Parameters& parameters = request.parameters;
  if (auto known = OnlyKnown(parameters, kEventFilters, {"format", "from", "header"}); !known) {
    return BadParameter(known.error());
  }
  const auto format =
      ParseExportFormat(parameters.contains("format") ? ReadText(parameters, "format") : "ndjson");
  if (!format) return BadParameter("format: expected ndjson or csv");
  const auto header = ReadSwitch(parameters, "header");
  if (!header) return BadParameter(header.error());
  const auto walk = ReadWalk(wiring, snapshots, request, "from", 1, now_us);
  if (!walk) return walk.error();

  if (walk->filter.state == EventState::kConflict) {
    return BadParameter("state: conflicts lie beside the log; list and show them, or admit them");
  }
  auto page = BuildExportPage(wiring.store, *walk->snapshot, walk->filter, *format, walk->place);
  if (!page) return Refusal(page.error());
  ApiReply reply;
  reply.content_type = ContentTypeOf(*format);
  if (*header && *format == ExportFormat::kCsv) reply.body = kCsvHeader;
  reply.body += page->text;
  reply.headers = {{kNextSequenceHeader, std::to_string(page->next)},
                   {kFinishedHeader, page->finished ? "1" : "0"},
                   {kEventsHeader, std::to_string(page->events)}};
  if (page->unreadable.count > 0) reply.headers.emplace_back(kUnreadableHeader, ToHeader(page->unreadable));
  return reply;
}

}  // namespace weir::admin
