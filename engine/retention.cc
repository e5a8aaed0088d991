#include "engine/retention.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "engine/observe/log.h"
#include "storage/start_thread.h"

namespace weir {

namespace {

constexpr std::chrono::minutes kBetweenLooks{1};

}  // namespace

std::expected<void, std::string> Retention::Start() {
  auto started = StartThread("retention", [this](const std::stop_token& stop) { Run(stop); });
  if (!started) return std::unexpected(started.error());
  thread_ = std::move(*started);
  return {};
}

void Retention::Stop() {
  thread_ = {};
}

void Retention::Run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    Look(storage::ReadClocks());
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, stop, kBetweenLooks, [] { return false; });
  }
}

void Retention::TellOfClockSteps() {
  const storage::ClockSteps steps = wiring_.store.StepsOfClock();
  if (steps.count == steps_told_) return;
  wiring_.probe.steps.Add(steps.count - std::exchange(steps_told_, steps.count));
  observe::log::Warn(
      "the machine's clock was set; dedupe windows and retention go by the time that really passed",
      {{"by_s", steps.last_us / 1'000'000}, {"steps", steps.count}});
}

// A failure is the store's: what acks meets it too, and ends the server. Here it only means not now.
void Retention::Look(const storage::Clocks& now) {
  storage::EventStore& store = wiring_.store;
  store.Tell(now);
  TellOfClockSteps();
  if (const auto marked = store.MarkTime(); !marked) {
    observe::log::Error("the time could not be noted: events will count as younger than they are",
                        {{"reason", marked.error().message}});
  }
  if (wiring_.retention_ms == 0) return;
  const auto due = store.FirstYoungerThan(wiring_.retention_ms * 1'000);
  if (!due) {
    observe::log::Error("retention could not look for old events", {{"reason", due.error().message}});
    return;
  }
  const storage::Sequence before = store.first_sequence();
  const auto first = store.TrimBefore(*due, wiring_.sinks());
  if (!first) {
    observe::log::Error("retention could not forget old events", {{"reason", first.error().message}});
    return;
  }
  if (*first > before) {
    wiring_.probe.forgotten.Add(*first - before);
    observe::log::Info("old events forgotten", {{"events", *first - before}, {"first_sequence", *first}});
  }
  // The newest event stays for the store's own sake.
  const storage::Sequence wanted = std::min(*due, store.last_sequence());
  const bool held = wanted > *first;
  wiring_.probe.held.Set(held ? static_cast<std::int64_t>(wanted - *first) : 0);
  if (held && !std::exchange(held_, held)) {
    observe::log::Warn(
        "events past their retention are kept: a sink, a dead letter or a dedupe window needs the "
        "first of them",
        {{"events", wanted - *first}, {"first_sequence", *first}});
  }
  held_ = held;
}

}  // namespace weir
