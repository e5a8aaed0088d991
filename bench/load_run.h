// One run of weir-bench: reach the server, sign ahead, connect, send, count.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <vector>

#include "bench/options.h"
#include "bench/tally.h"
#include "bench/timeline.h"

namespace weir::bench {

struct RunResult {
  Tally tally;
  std::vector<TimelinePoint> timeline;
  double measured_s = 0;  // the window that achieved_per_s is over
  double achieved_per_s = 0;
  double offered_per_s = 0;       // open loop: the rate asked for; closed loop: what the answers allowed
  std::size_t request_bytes = 0;  // on the wire, head and body
  std::size_t connected = 0;      // connections open when the clock started
  std::uint64_t signed_ahead = 0;
  std::uint64_t signed_meanwhile = 0;
  double signing_us = 0;  // a request, ahead of the run
};

// SIGINT and SIGTERM end the sending early; the result is then of what was sent.
std::expected<RunResult, Exit> RunLoad(const Options& options);

// kDone, or kFoundWrong with what is wrong added to `complaints`.
int Judge(const RunResult& result, std::vector<std::string>& complaints);

}  // namespace weir::bench
