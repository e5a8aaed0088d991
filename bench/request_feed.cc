#include "bench/request_feed.h"

#include <utility>

#include "storage/check.h"

namespace weir::bench {

RequestFeed::RequestFeed(const RequestForge& forge, const RequestPattern& pattern, const TrafficPlan& plan,
                         std::size_t capacity)
    : forge_(forge),
      pattern_(pattern),
      plan_(plan),
      capacity_(capacity),
      requests_(std::make_unique_for_overwrite<SignedRequest[]>(capacity)),
      patches_(std::make_unique_for_overwrite<char[]>(capacity * pattern.patch_bytes())) {
  WEIR_CHECK(capacity > 0);
}

std::expected<bool, std::string> RequestFeed::SignOne(std::int64_t now_unix_s) {
  const std::uint64_t filled = filled_.load(std::memory_order_relaxed);
  if (filled - drained_.load(std::memory_order_acquire) == capacity_) return false;
  const PlannedRequest planned = plan_.Next();
  const auto request = forge_.Make(planned, now_unix_s);
  if (!request) return std::unexpected(request.error());
  const std::size_t place = filled % capacity_;
  if (!pattern_.Extract(*request, patches_.get() + place * pattern_.patch_bytes())) {
    return std::unexpected("a request of this kind differs where none of the samples did");
  }
  requests_[place] = {planned.id_number, now_unix_s, planned.request_class};
  filled_.store(filled + 1, std::memory_order_release);
  return true;
}

const SignedRequest* RequestFeed::Front(std::int64_t now_unix_s) {
  while (true) {
    const std::uint64_t drained = drained_.load(std::memory_order_relaxed);
    if (drained == filled_.load(std::memory_order_acquire)) return nullptr;
    const SignedRequest& front = requests_[drained % capacity_];
    if (now_unix_s - front.signed_at_unix_s <= kAgeMax_s) return &front;
    Pop();
  }
}

const char* RequestFeed::FrontPatch() const {
  return patches_.get() + (drained_.load(std::memory_order_relaxed) % capacity_) * pattern_.patch_bytes();
}

void RequestFeed::Pop() {
  drained_.store(drained_.load(std::memory_order_relaxed) + 1, std::memory_order_release);
}

}  // namespace weir::bench
