#include "engine/admin/why_not.h"

#include <algorithm>

#include "engine/admin/time_expression.h"
#include "engine/deliver/sink_ledger.h"
#include "engine/limits.h"

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
    std::string source = route.source;
    for (const std::string& left_out : route.except) source += " except " + left_out;
    if (route.types.empty()) add(source, "*");
    for (const std::string& type : route.types) add(source, type);
  }
  return all > shown ? text + " and " + std::to_string(all - shown) + " more" : text;
}

std::string NoRoute(const storage::Event& event, const SinkFate& sink) {
  if (!event.malformed.empty()) return "never deliverable: " + std::string(event.malformed);
  if (sink.routes.empty()) return "no route leads to this sink";
  if (event.sequence < sink.position.began) {
    return "not sent: it was there before this sink, which began at sequence " +
           std::to_string(sink.position.began);
  }
  const std::string of_source = " of source " + std::string(event.source);
  if (event.untyped)
    return "no route: the event" + of_source +
           " has no type, and none of these takes that: " + Globs(sink.routes);
  return "no route: type \"" + std::string(event.type) + "\"" + of_source +
         " matches none of: " + Globs(sink.routes);
}

// Events in front of this one that the sink has not settled either.
std::uint64_t Ahead(const storage::Event& event, const SinkFate& sink) {
  const std::uint64_t before = event.sequence - std::min(event.sequence, sink.position.offset + 1);
  const auto settled = std::ranges::count_if(
      sink.position.above, [&](storage::Sequence sequence) { return sequence < event.sequence; });
  return before - std::min<std::uint64_t>(before, static_cast<std::uint64_t>(settled));
}

std::string Pending(const WhyFacts& facts, const std::optional<SinkCondition>& condition) {
  const std::uint64_t ahead = Ahead(facts.event, facts.sink);
  if (ahead != 0)
    return "behind in the log by " + std::to_string(ahead) + (ahead == 1 ? " event" : " events");
  // Events of the log are begun in its order, so the first that is not settled is among those under way.
  return condition && condition->first_attempts > 0 ? "its first attempt is under way"
                                                    : "next in the log for this sink";
}

// No retry is made before the breaker lets it through, whatever it is due.
std::string NextAttempt(std::int64_t due_us, const std::optional<SinkCondition>& condition) {
  if (!condition || !condition->breaker_open) return "next attempt at " + FormatTime(due_us);
  if (condition->breaker_until_us == 0) return "next attempt when it does";
  return "next attempt at " + FormatTime(std::max(due_us, condition->breaker_until_us));
}

std::string Retrying(const storage::RetryEntry& retry, const std::optional<SinkCondition>& condition) {
  if (retry.last_outcome == deliver::kUnderWay) {
    return "attempt " + std::to_string(retry.attempts + 1) + " is under way";
  }
  std::string text = NextAttempt(retry.due_us, condition);
  if (!retry.last_outcome.empty()) text += " because: " + retry.last_outcome;
  return text + " (" + std::to_string(retry.attempts) + (retry.attempts == 1 ? " attempt" : " attempts") +
         " made)";
}

std::string Dead(const storage::DeadLetter& dead) {
  return "dead because: " + dead.reason + " (" + std::to_string(dead.attempts) +
         (dead.attempts == 1 ? " attempt" : " attempts") + ")";
}

// What holds the sink up, and this event with it.
std::string Hindrance(const WhyFacts& facts, const std::optional<SinkCondition>& condition) {
  if (!facts.wiring.live) return "no server runs";
  if (!condition) return "this sink is not configured";
  if (!condition->cannot_open.empty()) return "the sink cannot be opened: " + condition->cannot_open;
  // Retries go on past both: they wait for nothing in the log.
  if (facts.state == EventState::kPending && condition->stopped_at != 0) {
    if (static_cast<storage::Sequence>(condition->stopped_at) == facts.event.sequence)
      return "this event cannot be read, and the sink has stopped at it";
    return "the sink has stopped at event " + std::to_string(condition->stopped_at) +
           ", which cannot be read";
  }
  if (!condition->held.empty())
    return "the store writes down nothing of what becomes of events, and nothing new is attempted: " +
           condition->held;
  if (condition->breaker_open) {
    return condition->breaker_until_us == 0
               ? "the sink keeps failing; one attempt is under way to see whether it works"
               : "breaker open until " + FormatTime(condition->breaker_until_us);
  }
  if (facts.state == EventState::kPending &&
      condition->retries >= static_cast<std::int64_t>(limits::kRetryScheduleMax)) {
    return "as many events as may wait for a retry: " + std::to_string(condition->retries);
  }
  return "";
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
                              .breaker_until_us = probe.breaker_until_us.value(),
                              .retries = probe.retry_queue_size.value(),
                              .first_attempts = probe.first_attempts.value()};
  });
  return condition;
}

std::string WhyNotDelivered(const WhyFacts& facts) {
  if (!facts.state) return NoRoute(facts.event, facts.sink);
  const auto condition = facts.wiring.live ? ConditionOf(*facts.wiring.live, facts.sink.sink) : std::nullopt;
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
      why = facts.retry != nullptr ? Retrying(*facts.retry, condition) : "waits for its next attempt";
      break;
    case EventState::kPending:
      why = Pending(facts, condition);
      break;
  }
  const std::string hindrance = Hindrance(facts, condition);
  return hindrance.empty() ? why : hindrance + "; " + why;
}

}  // namespace weir::admin
