// What each request of a run is to be: which id it carries and whether the server should take it. Pure and
// seeded.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <random>
#include <string_view>

namespace weir::bench {

enum class RequestClass : std::uint8_t {
  kFresh,      // a new id, correctly signed
  kDuplicate,  // an id planned shortly before, signed again: its first delivery may still be in flight
  kInvalid,    // a new id under a signature that does not match
  kStale,      // a new id, authentic, with a timestamp far outside any tolerance
};
inline constexpr std::size_t kRequestClasses = 4;
std::string_view RequestClassName(RequestClass request_class);

// Whether `status` is what the class should be answered with: 2xx for fresh and duplicate, 4xx for the
// others. Overload (429, 503) is never expected; a run that meets it says so.
bool IsExpected(RequestClass request_class, int status);

// Fractions of all requests, 0..1 each and together; the rest is fresh.
struct TrafficMix {
  double duplicates = 0;
  double invalid = 0;
  double stale = 0;
};

struct PlannedRequest {
  RequestClass request_class = RequestClass::kFresh;
  std::uint64_t id_number = 0;
};

class TrafficPlan {
 public:
  // Numbers new ids first_id, first_id + id_step, …, so that several plans of one run never share one.
  TrafficPlan(const TrafficMix& mix, std::uint64_t first_id, std::uint64_t id_step, std::uint64_t seed);
  PlannedRequest Next();

 private:
  static constexpr std::size_t kRecentIds = 4096;  // duplicates repeat one of this many
  std::uint64_t NewId();

  TrafficMix mix_;
  std::uint64_t next_id_;
  std::uint64_t id_step_;
  std::mt19937_64 random_;
  std::array<std::uint64_t, kRecentIds> recent_{};  // fresh ids, the oldest overwritten first
  std::uint64_t fresh_ = 0;
};

}  // namespace weir::bench
