#include "bench/traffic.h"

#include <algorithm>

namespace weir::bench {

std::string_view RequestClassName(RequestClass request_class) {
  switch (request_class) {
    case RequestClass::kFresh:
      return "fresh";
    case RequestClass::kDuplicate:
      return "duplicate";
    case RequestClass::kInvalid:
      return "invalid";
    case RequestClass::kStale:
      return "stale";
  }
  return "";
}

bool IsExpected(RequestClass request_class, int status) {
  switch (request_class) {
    case RequestClass::kFresh:
    case RequestClass::kDuplicate:
      return status >= 200 && status < 300;
    case RequestClass::kInvalid:
    case RequestClass::kStale:
      return status >= 400 && status < 500 && status != 429;
  }
  return false;
}

TrafficPlan::TrafficPlan(const TrafficMix& mix, std::uint64_t first_id, std::uint64_t id_step,
                         std::uint64_t seed)
    : mix_(mix), next_id_(first_id), id_step_(id_step), random_(seed) {}

std::uint64_t TrafficPlan::NewId() {
  const std::uint64_t id = next_id_;
  next_id_ += id_step_;
  return id;
}

PlannedRequest TrafficPlan::Next() {
  const double point = std::uniform_real_distribution<double>(0.0, 1.0)(random_);
  const double duplicates_end = mix_.duplicates;
  const double invalid_end = duplicates_end + mix_.invalid;
  const double stale_end = invalid_end + mix_.stale;
  if (point < duplicates_end && fresh_ > 0) {
    const std::uint64_t known = std::min<std::uint64_t>(fresh_, kRecentIds);
    const std::uint64_t back = std::uniform_int_distribution<std::uint64_t>(1, known)(random_);
    return {RequestClass::kDuplicate, recent_[(fresh_ - back) % kRecentIds]};
  }
  const std::uint64_t id = NewId();
  if (point >= duplicates_end && point < invalid_end) return {RequestClass::kInvalid, id};
  if (point >= invalid_end && point < stale_end) return {RequestClass::kStale, id};
  recent_[fresh_++ % kRecentIds] = id;
  return {RequestClass::kFresh, id};
}

}  // namespace weir::bench
