// Does for a sink what a delivery worker does: starts attempts, turns it, takes its reports.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/sink/open_sink.h"
#include "tests/support/eventually.h"

namespace weir::sink {

inline std::int64_t MonotonicMs() {
  using namespace std::chrono;
  return duration_cast<milliseconds>(steady_clock::now().time_since_epoch()).count();
}

class SinkDriver {
 public:
  explicit SinkDriver(const config::Sink& config) {
    auto opened =
        OpenSink(config, wake_, [this](Outcome outcome) { outcomes_.push_back(std::move(outcome)); });
    EXPECT_TRUE(opened) << opened.error();
    if (opened) sink_ = std::move(*opened);
  }

  Sink& sink() { return *sink_; }
  void Close() { sink_.reset(); }

  void Start(std::uint64_t sequence, const std::string& body = "{}", const std::string& id = "") {
    const std::string name = id.empty() ? "evt_" + std::to_string(sequence) : id;
    Attempt attempt;
    attempt.token = sequence;
    attempt.event.sequence = sequence;
    attempt.event.received_at_us = 1'767'225'600'000'000;
    attempt.event.source = "shop";
    attempt.event.id = name;
    attempt.event.type = "order.paid";
    attempt.event.headers = "Content-Type: application/json\r\n";
    attempt.event.body = body;
    attempt.started_at_us = 1'767'225'600'000'000;
    sink_->Start(attempt, MonotonicMs());
  }

  void Turn(std::int64_t wait_ms) {
    const std::int64_t now_ms = MonotonicMs();
    sink_->Turn(now_ms, now_ms + wait_ms);
  }

  // Whether `condition` came true, turn by turn.
  template <typename Condition>
  bool TurnUntil(Condition&& condition) {
    return tests::Eventually([&] {
      if (condition()) return true;
      Turn(1'000);
      return condition();
    });
  }
  // Turns until nothing is in flight, and gives the outcomes by token.
  std::vector<Outcome> Finish() {
    if (!TurnUntil([&] { return sink_->InFlight() == 0 && !outcomes_.empty(); }))
      ADD_FAILURE() << sink_->InFlight() << " attempts never ended";
    std::ranges::sort(outcomes_, {}, &Outcome::token);
    return std::exchange(outcomes_, {});
  }
  Outcome Try(std::uint64_t sequence, const std::string& body = "{}") {
    Start(sequence, body);
    auto outcomes = Finish();
    EXPECT_EQ(outcomes.size(), 1u);
    return outcomes.empty() ? Outcome{} : outcomes.front();
  }

  io::EventfdWake& wake() { return wake_; }

 private:
  io::EventfdWake wake_;
  std::vector<Outcome> outcomes_;
  std::unique_ptr<Sink> sink_;
};

}  // namespace weir::sink
