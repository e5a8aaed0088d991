#include "engine/admin/event_json.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string_view>

#include "engine/admin/event_state.h"
#include "engine/admin/time_expression.h"
#include "engine/admin/why_not.h"
#include "engine/source/encoding.h"
#include "engine/source/forwarding.h"

namespace weir::admin {

namespace {

using Json = nlohmann::ordered_json;

// The state of an event at a sink that none of whose routes takes it.
constexpr std::string_view kNoRoute = "no_route";

std::optional<storage::RetryEntry> RetryOf(const storage::EventStore& store, const std::string& sink,
                                           storage::Sequence sequence) {
  const auto retries = store.LoadRetries(sink);
  if (!retries) return std::nullopt;
  const auto found = std::ranges::find(*retries, sequence, &storage::RetryEntry::sequence);
  return found == retries->end() ? std::nullopt : std::optional(*found);
}

// A letter that was settled since the snapshot is simply not found.
std::optional<storage::DeadLetter> LetterOf(const storage::EventStore& store, std::string_view sink,
                                            storage::Sequence sequence) {
  std::optional<storage::DeadLetter> letter;
  const auto visited = store.VisitDeadLetters(sink, [&](const storage::DeadLetter& dead) {
    if (dead.sink != sink || dead.sequence != sequence) return true;
    letter = dead;
    return false;
  });
  if (!visited) {
    return storage::DeadLetter{.sink = std::string(sink),
                               .sequence = sequence,
                               .died_at_us = 0,
                               .attempts = 0,
                               .reason = "the dead letter cannot be read: " + visited.error().message,
                               .last_answer = {}};
  }
  return letter;
}

// How often it came, by the sender's own count of attempts too: the only sign that answers do not get back to it.
void AddArrivals(Json& json, const storage::Event& event, const storage::EventStore& store) {
  const auto repeats = store.LoadRepeats(event.sequence);
  if (!repeats) return;
  json["came_times"] = 1 + repeats->count;
  if (const std::uint32_t attempt = std::max(event.attempt, repeats->attempt); attempt != 0) {
    json["last_attempt"] = attempt;
  }
  if (repeats->count > 0) json["last_came_at"] = FormatTime(repeats->last_at_us);
}

Json DeliveryJson(const storage::Event& event, const SinkFate& sink, const Wiring& wiring) {
  const auto state = StateAt(sink, event);
  Json delivery = {{"sink", sink.sink}, {"state", state ? StateName(*state) : kNoRoute}};
  WhyFacts facts{.wiring = wiring, .event = event, .sink = sink, .state = state};
  std::optional<storage::RetryEntry> retry;
  std::optional<storage::DeadLetter> dead;
  if (state == EventState::kRetrying) retry = RetryOf(wiring.store, sink.sink, event.sequence);
  if (state == EventState::kDead) dead = LetterOf(wiring.store, sink.sink, event.sequence);
  if (retry) {
    facts.retry = &*retry;
    delivery["attempts"] = retry->attempts;
    delivery["due_at"] = FormatTime(retry->due_us);
    delivery["last_outcome"] = retry->last_outcome;
  }
  if (dead) {
    facts.dead = &*dead;
    delivery["attempts"] = dead->attempts;
    delivery["died_at"] = FormatTime(dead->died_at_us);
    delivery["reason"] = dead->reason;
    delivery["last_answer"] = dead->last_answer;
  }
  if (const std::string why = WhyNotDelivered(facts); !why.empty()) delivery["why"] = why;
  return delivery;
}

// Only a server that runs knows of a sink without routes.
bool IsConfigured(const Wiring& wiring, std::string_view sink) {
  return wiring.live && ConditionOf(*wiring.live, sink);
}

Json DeliveriesJson(const storage::Event& event, const DeliverySnapshot& snapshot, const Wiring& wiring) {
  Json list = Json::array();
  for (const SinkFate& sink : snapshot.sinks) {
    if (sink.sink == storage::kIngestSink) continue;
    // A sink that was removed is owed nothing.
    if (sink.routes.empty() && !StateAt(sink, event) && !IsConfigured(wiring, sink.sink)) continue;
    list.push_back(DeliveryJson(event, sink, wiring));
  }
  return list;
}

}  // namespace

Json HeadersJson(std::string_view headers) {
  Json list = Json::array();
  while (!headers.empty()) {
    const std::size_t end = std::min(headers.find("\r\n"), headers.size());
    const std::string_view line = headers.substr(0, end);
    headers.remove_prefix(std::min(end + 2, headers.size()));
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    const std::string_view name = line.substr(0, colon);
    std::string_view value = line.substr(colon + 1);
    while (!value.empty() && (value.front() == ' ' || value.front() == '\t')) value.remove_prefix(1);
    Json field = {{"name", name}};
    if (source::ForwardingOf(name) == source::Forwarding::kCredential) {
      field["hidden_bytes"] = value.size();
    } else {
      field["value"] = value;
    }
    list.push_back(std::move(field));
  }
  return list;
}

Json ToJson(const EventSummary& event) {
  Json json = {{"sequence", event.sequence},      {"id", event.id},
               {"source", event.source},          {"type", event.type},
               {"state", StateName(event.state)}, {"received_at", FormatTime(event.received_at_us)},
               {"body_bytes", event.body_bytes}};
  if (!event.malformed.empty()) json["malformed"] = event.malformed;
  if (event.test) json["test"] = true;
  if (event.untyped) json["untyped"] = true;
  return json;
}

Json ToJson(const FoundDeadLetter& found) {
  Json json = {{"sink", found.dead.sink}, {"sequence", found.dead.sequence}};
  if (found.event) {
    json["id"] = found.event->id;
    json["source"] = found.event->source;
    json["type"] = found.event->type;
    json["received_at"] = FormatTime(found.event->received_at_us);
    json["body_bytes"] = found.event->body_bytes;
  }
  json["died_at"] = FormatTime(found.dead.died_at_us);
  json["attempts"] = found.dead.attempts;
  json["reason"] = found.dead.reason;
  json["last_answer"] = found.dead.last_answer;
  return json;
}

Json DetailJson(const storage::Event& event, const DeliverySnapshot& snapshot, const Wiring& wiring,
                DetailOptions options) {
  Json json = ToJson(Summarize({.event = event, .state = StateOf(snapshot, event)}));
  AddArrivals(json, event, wiring.store);
  json["deliveries"] = DeliveriesJson(event, snapshot, wiring);
  json["headers"] = HeadersJson(event.headers);
  if (options.body) json["body_base64"] = BodyBase64(event.body);
  return json;
}

std::string BodyBase64(std::string_view body) {
  std::string text;
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(body.data());
  source::AppendBase64(text, std::span(bytes, body.size()), source::Base64Form::kPadded);
  return text;
}

std::string Dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace weir::admin
