#include "engine/admin/why_not.h"

#include <algorithm>

#include "engine/admin/time_expression.h"

namespace weir::admin {

namespace {

constexpr std::size_t kGlobsShown = 10;

std::string Globs(const std::vector<config::Route>& routes) {
  std::string text;
  std::size_t shown = 0;
  std::size_t all = 0;
  const auto add = [&](const std::string& source, const std::string& type) {
    if (++all > kGlobsShown) return;
    text += (shown++ == 0 ? "" : ", ") + source + " " + type;
  };
  for (const config::Route& route : routes) {
    if (route.types.empty()) add(route.source, "*");
    for (const std::string& type : route.types) add(route.source, type);
  }
  return all > shown ? text + " and " + std::to_string(all - shown) + " more" : text;
}

std::string NoRoute(const storage::Event& event, const SinkFate& sink) {
  if (!event.malformed.empty()) return "never deliverable: " + std::string(event.malformed);
  if (sink.routes.empty()) return "no route leads to this sink";
  return "no route: type \"" + std::string(event.type) + "\" of source " + std::string(event.source) +
         " matches none of: " + Globs(sink.routes);
}

// Events in front of this one that the sink has not settled either.
std::uint64_t Ahead(const storage::Event& event, const SinkFate& sink) {
  const std::uint64_t before = event.sequence - std::min(event.sequence, sink.position.offset + 1);
  const auto settled = std::ranges::count_if(
      sink.position.above, [&](storage::Sequence sequence) { return sequence < event.sequence; });
  return before - std::min<std::uint64_t>(before, static_cast<std::uint64_t>(settled));
}

std::string Pending(const WhyFacts& facts) {
  const std::uint64_t ahead = Ahead(facts.event, facts.sink);
  return ahead == 0 ? "next in the log for this sink"
                    : "behind in the log by " + std::to_string(ahead) + (ahead == 1 ? " event" : " events");
}

std::string Retrying(const storage::RetryEntry& retry) {
  std::string text = "next attempt at " + FormatTime(retry.due_us);
  if (!retry.last_outcome.empty()) text += " because: " + retry.last_outcome;
  return text + " (" + std::to_string(retry.attempts) + (retry.attempts == 1 ? " attempt" : " attempts") +
         " made)";
}

std::string Dead(const storage::DeadLetter& dead) {
  return "dead because: " + dead.reason + " (" + std::to_string(dead.attempts) +
         (dead.attempts == 1 ? " attempt" : " attempts") + ")";
}

// What holds up everything that waits for the sink.
std::string Hindrance(const WhyFacts& facts) {
  if (!facts.wiring.live) return "no server runs";
  const auto condition = ConditionOf(*facts.wiring.live, facts.sink.sink);
  if (!condition) return "this sink is not configured";
  if (!condition->cannot_open.empty()) return "the sink cannot be opened: " + condition->cannot_open;
  if (!condition->held.empty()) return "held: " + condition->held;
  if (condition->stopped_at != 0) {
    return "the sink has stopped at event " + std::to_string(condition->stopped_at) +
           ", which cannot be read";
  }
  if (!condition->breaker_open) return "";
  if (condition->breaker_until_us == 0)
    return "the sink keeps failing; one attempt is under way to see whether it works";
  return "breaker open until " + FormatTime(condition->breaker_until_us);
}

}  // namespace

std::optional<SinkCondition> ConditionOf(const Live& live, std::string_view sink) {
  std::optional<SinkCondition> condition;
  live.visit_sinks([&](const observe::SinkProbe& probe) {
    if (probe.sink != sink) return;
    condition = SinkCondition{.cannot_open = probe.cannot_open.value(),
                              .held = probe.held.value(),
                              .stopped_at = probe.stopped_at.value(),
                              .breaker_open = probe.breaker_open.value() != 0,
                              .breaker_until_us = probe.breaker_until_us.value()};
  });
  return condition;
}

std::string WhyNotDelivered(const WhyFacts& facts) {
  if (!facts.state) return NoRoute(facts.event, facts.sink);
  std::string why;
  switch (*facts.state) {
    case EventState::kDelivered:
    case EventState::kMalformed:
    case EventState::kUnrouted:
    case EventState::kConflict:
      return "";
    case EventState::kDead:
      return facts.dead != nullptr ? Dead(*facts.dead) : "a dead letter";
    case EventState::kRetrying:
      why = facts.retry != nullptr ? Retrying(*facts.retry) : "waits for its next attempt";
      break;
    case EventState::kPending:
      why = Pending(facts);
      break;
  }
  const std::string hindrance = Hindrance(facts);
  return hindrance.empty() ? why : hindrance + "; " + why;
}

}  // namespace weir::admin
