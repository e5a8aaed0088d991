// What a run counted. Filled by one client thread each, merged when they are done.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "bench/latency_histogram.h"
#include "bench/traffic.h"

namespace weir::bench {

struct Tally {
  static constexpr std::size_t kStatuses = 600;

  std::uint64_t sent = 0;
  std::array<std::array<std::uint64_t, kStatuses>, kRequestClasses> answers{};  // by class and status
  std::uint64_t unanswered = 0;  // sent, and the connection was lost or the deadline passed
  std::uint64_t unsent = 0;      // meant to be sent, and no connection was free before the run had to end
  std::uint64_t resent = 0;      // unanswered requests sent again on a new connection
  std::uint64_t timeouts = 0;    // of the unanswered, those whose deadline passed
  std::uint64_t malformed = 0;   // answers that are not HTTP, or bytes nobody asked for
  std::uint64_t connect_errors = 0;
  std::uint64_t connections_lost = 0;      // while a request was out
  std::uint64_t connections_reopened = 0;  // after the server closed an idle one or said Connection: close
  std::uint64_t connections_used_up = 0;   // closed by this tool after as many requests as it was to carry
  std::uint64_t connections_given_up = 0;
  std::int64_t starved_ns = 0;  // a request was due and none was signed yet: the tool was the limit
  bool ledger_incomplete = false;

  // Inside the measured window: after the warm-up, before the end.
  std::uint64_t measured_answers = 0;
  std::int64_t window_end_ns = 0;  // CLOCK_MONOTONIC: end of the sending, or the last answer of a counted run
  LatencyHistogram response;       // from the intended send time
  LatencyHistogram service;        // from the actual send
  double cpu_s = 0;                // of the client threads, from start to end

  std::uint64_t AnswersOf(RequestClass request_class) const;
  std::uint64_t Answered() const;
  std::uint64_t Unexpected() const;  // answers whose status is not what their class should get
  void Merge(const Tally& other);
};

}  // namespace weir::bench
