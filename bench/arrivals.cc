#include "bench/arrivals.h"

#include "storage/check.h"

namespace weir::bench {

ArrivalSchedule::ArrivalSchedule(ArrivalPattern pattern, double rate_per_s, std::int64_t start_ns,
                                 std::uint64_t seed)
    : pattern_(pattern), start_ns_(start_ns), gap_ns_(1e9 / rate_per_s), random_(seed) {
  WEIR_CHECK(rate_per_s > 0);
  if (pattern_ == ArrivalPattern::kPoisson) Advance();
}

void ArrivalSchedule::Advance() {
  ++arrivals_;
  switch (pattern_) {
    case ArrivalPattern::kConstant:
      next_offset_ns_ =
          static_cast<double>(arrivals_) * gap_ns_;  // not a running sum: its error would grow with the run
      return;
    case ArrivalPattern::kPoisson:
      next_offset_ns_ += exponential_(random_) * gap_ns_;
      return;
  }
}

}  // namespace weir::bench
