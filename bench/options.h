// The command line of weir-bench.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "bench/arrivals.h"
#include "bench/clock.h"
#include "bench/traffic.h"

namespace weir::bench {

// Exit codes.
inline constexpr int kDone = 0;
inline constexpr int kFoundWrong = 1;  // unexpected answers, lost requests, an incomplete ledger
inline constexpr int kUsage = 2;
inline constexpr int kNotReachable = 3;

struct Options {
  std::string url;
  std::string kind;
  std::string secret;  // resolved; never printed
  std::size_t connections = 64;
  std::size_t threads = 1;
  std::uint64_t requests_per_connection = 0;  // 0: no limit
  std::int64_t duration_ns = 0;               // exactly one of duration_ns and count is set
  std::uint64_t count = 0;
  double rate_per_s = 0;  // 0: closed loop
  ArrivalPattern pattern = ArrivalPattern::kPoisson;
  std::int64_t warmup_ns = 0;
  std::size_t payload_bytes = 800;  // of an event
  std::size_t batch = 1;            // events a request carries
  TrafficMix mix;
  std::string id_prefix;
  std::string ledger;  // empty: none
  std::string json;    // empty: none
  std::string html;    // empty: none
  std::int64_t timeout_ns = 30 * kSecond_ns;
  std::int64_t reconnect_ns = 3 * kSecond_ns;
  bool resend = false;
  std::size_t ahead = 0;  // requests signed before the clock starts; 0: chosen from the run's length
  std::uint64_t seed = 1;
};

struct Exit {
  int code = kUsage;
  std::string text;  // for stdout when the code is kDone (help, version), else for stderr
};

// `now_unix_s` makes the default id prefix unique to this run.
std::expected<Options, Exit> ParseOptions(int argc, const char* const* argv, std::int64_t now_unix_s);

// "250us", "10ms", "3s", "2m", "1h"; the error says what is allowed.
std::expected<std::int64_t, std::string> ParseDuration_ns(std::string_view text);
// "800", "16KiB", "1MiB".
std::expected<std::size_t, std::string> ParseSize_bytes(std::string_view text);

}  // namespace weir::bench
