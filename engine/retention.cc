#include "engine/retention.h"

#include <pthread.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "engine/observe/log.h"

namespace weir {

namespace {

constexpr std::chrono::minutes kBetweenLooks{1};

std::int64_t NowUs() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

}  // namespace

void Retention::Start() {
  if (wiring_.retention_ms == 0) return;
  thread_ = std::jthread([this](const std::stop_token& stop) {
    pthread_setname_np(pthread_self(), "retention");
    Run(stop);
  });
}

void Retention::Stop() {
  thread_ = {};
}

void Retention::Run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    Look(NowUs());
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, stop, kBetweenLooks, [] { return false; });
  }
}

// A failure is the store's: what acks meets it too, and ends the server. Here it only means not now.
void Retention::Look(std::int64_t now_us) {
  storage::EventStore& store = wiring_.store;
  const auto due = store.FirstReceivedSince(now_us - wiring_.retention_ms * 1'000);
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
