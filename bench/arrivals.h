// When the requests of an open-loop run are meant to be sent, whatever the server does. A response is timed
// from this moment: a server that stalls then pays for every request that should have been sent meanwhile,
// instead of hiding them (coordinated omission). Pure: the clock and the seed come from the caller.
#pragma once

#include <cstdint>
#include <random>

namespace weir::bench {

enum class ArrivalPattern : std::uint8_t {
  kPoisson,   // independent senders: exponential gaps
  kConstant,  // one request every 1/rate
};

class ArrivalSchedule {
 public:
  // The first arrival is at `start_ns` for a constant pattern, one random gap later for Poisson.
  // rate_per_s > 0.
  ArrivalSchedule(ArrivalPattern pattern, double rate_per_s, std::int64_t start_ns, std::uint64_t seed);

  std::int64_t next_ns() const { return start_ns_ + static_cast<std::int64_t>(next_offset_ns_); }
  void Advance();

 private:
  ArrivalPattern pattern_;
  std::int64_t start_ns_;
  double gap_ns_;  // mean
  double next_offset_ns_ =
      0;  // kept apart from the start: a double of Unix-sized nanoseconds loses the fraction of a gap
  std::uint64_t arrivals_ = 0;
  std::mt19937_64 random_;
  std::exponential_distribution<double> exponential_{1.0};
};

}  // namespace weir::bench
