// Signed requests waiting to be sent: filled by one thread, drained by another, bounded. A run starts with a
// full feed, so that signing costs the measured path nothing; a run longer than its feed is topped up by the
// signer thread.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <string>

#include "bench/request_forge.h"
#include "bench/request_pattern.h"
#include "bench/traffic.h"

namespace weir::bench {

struct SignedRequest {
  std::uint64_t id_number = 0;
  std::int64_t signed_at_unix_s = 0;
  RequestClass request_class = RequestClass::kFresh;
};

class RequestFeed {
 public:
  // Older requests are thrown away instead of sent: a timestamp must still be inside every kind's tolerance
  // on arrival.
  static constexpr std::int64_t kAgeMax_s = 120;

  RequestFeed(const RequestForge& forge, const RequestPattern& pattern, const TrafficPlan& plan,
              std::size_t capacity);

  // The filling thread.
  // Signs one more. False: the feed is full. The error is the forge's.
  std::expected<bool, std::string> SignOne(std::int64_t now_unix_s);

  // The draining thread.
  // The oldest request, with its patch; nullptr when there is none young enough. Valid until Pop.
  const SignedRequest* Front(std::int64_t now_unix_s);
  const char* FrontPatch() const;
  void Pop();

  std::size_t capacity() const { return capacity_; }
  std::uint64_t signed_total() const { return filled_.load(std::memory_order_acquire); }

 private:
  const RequestForge& forge_;
  const RequestPattern& pattern_;
  TrafficPlan plan_;  // filling thread
  std::size_t capacity_;
  std::unique_ptr<SignedRequest[]> requests_;
  std::unique_ptr<char[]> patches_;
  alignas(64) std::atomic<std::uint64_t> filled_{0};   // ever; written by the filling thread
  alignas(64) std::atomic<std::uint64_t> drained_{0};  // ever; written by the draining thread
};

}  // namespace weir::bench
