#include "engine/retention.h"

#include <algorithm>
#include <chrono>
#include <new>
#include <utility>

#include "storage/memory_shortage.h"
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
    try {
      const MayLackMemory here;
      Look(storage::ReadClocks());
    } catch (const std::bad_alloc&) {
      Failed("retention had no memory to look for old events", {});
    }
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

void Retention::Failed(std::string_view what, observe::log::Fields fields) {
  wiring_.probe.errors.Add();
  observe::log::Error(what, fields);
}

// A failure is the store's: what acks meets it too, and ends the server. Here it only means not now.
void Retention::Look(const storage::Clocks& now) {
  storage::EventStore& store = wiring_.store;
  store.Tell(now);
  TellOfClockSteps();
  if (const auto marked = store.MarkTime(); !marked) {
    Failed("the time could not be noted: events will count as younger than they are",
           {{"reason", marked.error().message}});
  }
  if (wiring_.retention_ms != 0) ForgetOld();
  wiring_.probe.looks.Add();
}

void Retention::ForgetOld() {
  storage::EventStore& store = wiring_.store;
  const auto due = store.FirstYoungerThan(wiring_.retention_ms * 1'000);
  if (!due) {
    return Failed("retention could not look for old events", {{"reason", due.error().message}});
  }
  const storage::Sequence before = store.first_sequence();
  const auto first = store.TrimBefore(*due, wiring_.sinks());
  if (!first) {
    return Failed("retention could not forget old events", {{"reason", first.error().message}});
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
