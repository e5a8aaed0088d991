#include "engine/admin/admit_endpoint.h"

#include <algorithm>
#include <expected>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/admin/dead_letter_query.h"
#include "engine/admin/event_json.h"
#include "engine/admin/parameters.h"
#include "engine/deliver/route_table.h"
#include "engine/limits.h"
#include "storage/event_codec.h"

namespace weir::admin {

namespace {

using Json = nlohmann::ordered_json;

// Each waits for its own sync, and the client for all of them.
constexpr std::size_t kAdmittedPerRequestMax = 50;
constexpr std::string_view kSequencePlace = "{sequence}";

// What the event lies in, and its record.
struct Lying {
  storage::Superseded place;
  std::string name;  // "7", or a conflict's address
  std::string record;
};

struct Selection {
  std::vector<Lying> events;
  bool more = false;
};

storage::StoreResult<Selection> SelectConflict(const storage::EventStore& store, storage::Sequence stored,
                                               std::uint64_t hash) {
  auto record = store.ReadConflict(stored, hash);
  if (!record) return std::unexpected(record.error());
  Selection selection;
  selection.events.push_back({.place = {.sequence = stored, .conflict = hash},
                              .name = storage::ConflictAddress(stored, hash),
                              .record = *std::move(record)});
  return selection;
}

storage::StoreResult<Selection> SelectLetters(const storage::EventStore& store,
                                              const DeadLetterFilter& filter,
                                              std::optional<storage::Sequence> only) {
  Selection selection;
  std::optional<storage::StoreError> failed;
  const auto visited = VisitDeadLetters(store, filter, [&](const FoundDeadLetter& found) {
    const storage::Sequence sequence = found.dead.sequence;
    if (only && sequence != *only) return true;
    selection.more = selection.events.size() == kAdmittedPerRequestMax;
    if (selection.more) return false;
    auto record = store.ReadRecord(sequence);
    if (!record) failed = record.error();
    if (!record) return false;
    selection.events.push_back(
        {.place = {.sequence = sequence}, .name = std::to_string(sequence), .record = *std::move(record)});
    return !only;
  });
  if (failed) return std::unexpected(*failed);
  if (!visited) return std::unexpected(visited.error());
  return selection;
}

bool HasControlBytes(std::string_view text) {
  return std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

std::string NameFor(std::string id, const Lying& lying) {
  if (const std::size_t at = id.find(kSequencePlace); at != std::string::npos) {
    id.replace(at, kSequencePlace.size(), std::to_string(lying.place.sequence));
  }
  return id;
}

// What the operator chose. The error is a sentence.
struct Choice {
  std::string id;
  std::optional<std::string> type;
  bool dry_run = false;
};

std::expected<Choice, std::string> ReadChoice(const Parameters& parameters) {
  Choice choice{.id = ReadText(parameters, "new_id"), .type = std::nullopt};
  if (choice.id.empty())
    return std::unexpected("new_id is missing: the id under which the event is delivered");
  if (choice.id.size() > limits::kEventIdBytesMax || HasControlBytes(choice.id)) {
    return std::unexpected("new_id: expected at most " + std::to_string(limits::kEventIdBytesMax) +
                           " bytes without control characters");
  }
  if (parameters.contains("new_type")) choice.type = ReadText(parameters, "new_type");
  if (choice.type && (choice.type->size() > limits::kEventTypeBytesMax || HasControlBytes(*choice.type))) {
    return std::unexpected("new_type: expected at most " + std::to_string(limits::kEventTypeBytesMax) +
                           " bytes without control characters");
  }
  const auto dry_run = ReadSwitch(parameters, "dry_run");
  if (!dry_run) return std::unexpected(dry_run.error());
  choice.dry_run = *dry_run;
  return choice;
}

// No server runs: this process is the only one that commits.
std::expected<ingest::Readmitted, std::string> CommitHere(storage::EventStore& store, storage::Event event,
                                                          std::int64_t window_us,
                                                          const storage::Superseded& instead_of,
                                                          std::int64_t now_us) {
  event.received_at_us = now_us;
  std::string bytes(storage::EncodedSize(event), '\0');
  storage::Encode(event, bytes.data());
  storage::AppendRecord record{.record = bytes.data(),
                               .size = bytes.size(),
                               .dedupe_window_us = window_us,
                               .keep_conflict = false,
                               .instead_of = instead_of};
  storage::AppendResult result{};
  if (auto committed = store.Commit({&record, 1}, {&result, 1}); !committed) {
    return std::unexpected(committed.error().message);
  }
  ingest::Readmitted admitted{.event_id = std::string(event.id), .sequence = result.sequence};
  switch (result.outcome) {
    case storage::AppendOutcome::kStored:
      admitted.stored = 1;
      return admitted;
    case storage::AppendOutcome::kDuplicate:
      admitted.duplicates = 1;
      return admitted;
    case storage::AppendOutcome::kConflict:
    case storage::AppendOutcome::kConflictNotKept:
      return std::unexpected("event " + std::to_string(result.sequence) +
                             " has this id and other content; nothing was changed");
    case storage::AppendOutcome::kUnreadable:
      return std::unexpected("whether its id is taken cannot be read; run weir verify");
    case storage::AppendOutcome::kSuperseded:
      break;
  }
  return std::unexpected("it is not there any more: admitted or dropped meanwhile");
}

// Why nobody would be delivered the event although routes lead away from its source; empty: one takes it, or there is
// none. What is admitted has no letter any more that could be given another type.
std::string LeadsNowhere(const std::vector<config::Route>& routes, const storage::Event& event) {
  const bool leads_away = std::ranges::any_of(routes, [&event](const config::Route& route) {
    return route.source == event.source || route.source == "*";
  });
  if (!leads_away || deliver::RoutesMatch(routes, event)) return {};
  return (event.type.empty() ? std::string("without a type") : "as type \"" + std::string(event.type) + '"') +
         " no route of source \"" + std::string(event.source) +
         "\" takes it; give it one with --type (--type '' if it is to be stored all the same)";
}

std::expected<Json, std::string> AdmitOne(const Wiring& wiring, const std::vector<config::Route>& routes,
                                          const Lying& lying, const Choice& choice, std::int64_t now_us) {
  const auto decoded = storage::Decode(lying.record);
  if (!decoded) return std::unexpected("its record is damaged; run weir verify");
  const std::string id = NameFor(choice.id, lying);
  storage::Event event = *decoded;
  event.id = id;
  if (choice.type) event.type = *choice.type;
  event.malformed = {};
  event.untyped = event.untyped && event.type.empty();
  event.test = false;
  if (!choice.type) {
    if (std::string nowhere = LeadsNowhere(routes, event); !nowhere.empty())
      return std::unexpected(std::move(nowhere));
  }
  const std::string letter = lying.place.conflict ? "conflict" : "letter";
  Json said = {{letter, lying.name}, {"source", event.source}, {"event_id", id}, {"type", event.type}};
  if (choice.dry_run) {
    const auto known = wiring.store.Find(event.source, id);
    if (known) said["known_as"] = *known;
    return said;
  }
  const std::int64_t window_us = storage::DedupeWindowOf(lying.record);
  if (wiring.live && wiring.live->readmission == nullptr)
    return std::unexpected("the server takes no events");
  const auto admitted = wiring.live ? wiring.live->readmission->Admit(event, window_us, lying.place)
                                    : CommitHere(wiring.store, event, window_us, lying.place, now_us);
  if (!admitted) return std::unexpected(admitted.error());
  said["sequence"] = admitted->sequence;
  said["stored"] = admitted->stored;
  said["duplicates"] = admitted->duplicates;
  return said;
}

struct Request {
  Choice choice;
  Selection selection;
};

std::expected<Request, ApiReply> ReadRequest(const Wiring& wiring, const Parameters& parameters,
                                             std::int64_t now_us) {
  auto choice = ReadChoice(parameters);
  if (!choice) return std::unexpected(BadParameter(choice.error()));
  Parameters filters = parameters;
  filters["sink"] = storage::kIngestSink;
  auto filter = ReadDeadLetterFilter(wiring, filters, now_us);
  if (!filter) return std::unexpected(BadParameter(filter.error()));
  const auto after = ReadNumber(parameters, "after", 0, 0, UINT64_MAX);
  const auto letter = ReadNumber(parameters, "letter", 0, 1, UINT64_MAX);
  if (!after) return std::unexpected(BadParameter(after.error()));
  if (!letter) return std::unexpected(BadParameter(letter.error()));
  filter->after = DeadLetterPlace{.sink = std::string(storage::kIngestSink), .sequence = *after};

  storage::StoreResult<Selection> selection;
  if (parameters.contains("conflict")) {
    const auto address = storage::ParseConflictAddress(ReadText(parameters, "conflict"));
    if (!address) return std::unexpected(BadParameter("conflict: expected SEQUENCE:HASH, as listed"));
    selection = SelectConflict(wiring.store, address->first, address->second);
  } else {
    selection = SelectLetters(wiring.store, *filter, *letter == 0 ? std::nullopt : std::optional(*letter));
  }
  if (!selection) return std::unexpected(Refusal(selection.error()));
  const bool one_id = choice->id.find(kSequencePlace) == std::string::npos;
  if (one_id && selection->events.size() > 1) {
    return std::unexpected(
        BadParameter("several letters match: name one by its sequence, or give each an id with " +
                     std::string(kSequencePlace) + " in new_id"));
  }
  return Request{.choice = *std::move(choice), .selection = *std::move(selection)};
}

}  // namespace

ApiReply AdmitDeadLetters(const Wiring& wiring, const ApiRequest& request, std::int64_t now_us) {
  if (auto known = OnlyKnown(request.parameters, kDeadLetterFilters,
                             {"letter", "conflict", "new_id", "new_type", "dry_run", "after"});
      !known) {
    return BadParameter(known.error());
  }
  const auto read = ReadRequest(wiring, request.parameters, now_us);
  if (!read) return read.error();
  const auto& [choice, selection] = *read;
  Json json = {
      {"action", "admit"},
      {"dry_run", choice.dry_run},
      {"matched", selection.events.size()},
      {"done", 0},
      {"admitted", Json::array()},
      {"refused", Json::array()},
      {"after", selection.events.empty() ? "" : std::to_string(selection.events.back().place.sequence)},
      {"more", selection.more}};
  const auto routes_text = wiring.store.GetMeta(deliver::kRoutesKey);
  const auto routes = routes_text ? deliver::ParseRoutes(*routes_text) : std::vector<config::Route>();
  std::size_t done = 0;
  for (const Lying& lying : selection.events) {
    auto said = AdmitOne(wiring, routes, lying, choice, now_us);
    if (!said) {
      json["refused"].push_back({{"letter", lying.name}, {"reason", said.error()}});
      continue;
    }
    json["admitted"].push_back(*std::move(said));
    if (!choice.dry_run) ++done;
  }
  json["done"] = done;
  ApiReply reply;
  reply.body = Dump(json);
  return reply;
}

}  // namespace weir::admin
