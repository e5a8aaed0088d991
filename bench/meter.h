// Turns what one client thread sees into figures: which answers count, in which window, into which second.
#pragma once

#include <cstdint>

#include "bench/latency_histogram.h"
#include "bench/ledger.h"
#include "bench/request_feed.h"
#include "bench/tally.h"
#include "bench/timeline.h"

namespace weir::bench {

class Meter {
 public:
  // All times are CLOCK_MONOTONIC. The figures are of requests meant for after the warm-up, the rate is of
  // answers between its end and the end of the sending. No end (0): a counted run, whose window closes with
  // its last answer.
  struct Window {
    std::int64_t start_ns = 0;
    std::int64_t warmup_ns = 0;
    std::int64_t end_ns = 0;
  };

  // `ledger` may be null. Both outlive the meter, and so does the forge, which knows the ids.
  Meter(const RequestForge& forge, Timeline& timeline, LedgerWriter* ledger)
      : forge_(forge), timeline_(timeline), ledger_(ledger) {}

  void Begin(const Window& window) { window_ = window; }
  void EndAt(std::int64_t end_ns) { window_.end_ns = end_ns; }

  void Answered(const SignedRequest& request, int status, std::int64_t intended_ns, std::int64_t sent_ns,
                std::int64_t now_ns);
  // No answer yet, or ever: the wait so far counts as the response time. Leaving it out would flatter the
  // server.
  void StillOut(std::int64_t intended_ns, std::int64_t sent_ns, std::int64_t now_ns);
  void NeverSent(std::int64_t intended_ns, std::int64_t now_ns);
  void Trouble() { ++trouble_; }

  // Once a turn: closes the seconds that are over.
  void Roll(std::int64_t now_ns);
  // Once, at the end.
  void Finish(std::int64_t now_ns);

  Tally& tally() { return tally_; }
  const Tally& tally() const { return tally_; }

 private:
  const RequestForge& forge_;
  Timeline& timeline_;
  LedgerWriter* ledger_;
  Window window_;
  Tally tally_;
  LatencyHistogram second_;  // response times of the answers of the current second
  std::uint32_t second_index_ = 0;
  std::uint64_t trouble_ = 0;
};

}  // namespace weir::bench
