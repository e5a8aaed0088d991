#include "engine/ingest/oldest_idle.h"

#include <algorithm>

namespace weir::ingest {
namespace {

constexpr std::size_t kCandidates = 64;  // found with one look
constexpr std::int64_t kLookMs = 100;    // until the next look, after one that found none

}  // namespace

Connection* OldestIdle::Take(std::int64_t now_ms) {
  for (int looks = 0; looks < 2; ++looks) {
    while (!candidates_.empty()) {
      const Candidate candidate = candidates_.back();
      candidates_.pop_back();
      Connection& connection = connections_[candidate.slot];
      const bool as_found = connection.generation == candidate.generation &&
                            connection.last_active_ms == candidate.last_active_ms && connection.idle();
      if (as_found) return &connection;
    }
    if (now_ms < next_look_ms_) return nullptr;
    Look();
    if (candidates_.empty()) next_look_ms_ = now_ms + kLookMs;
  }
  return nullptr;
}

void OldestIdle::Look() {
  for (std::uint32_t slot = 0; slot < connections_.slots(); ++slot) {
    const Connection& connection = connections_[slot];
    if (connection.idle()) candidates_.push_back({connection.last_active_ms, slot, connection.generation});
  }
  const auto older = [](const Candidate& a, const Candidate& b) {
    return a.last_active_ms < b.last_active_ms;
  };
  const std::size_t keep = std::min(candidates_.size(), kCandidates);
  std::partial_sort(candidates_.begin(), candidates_.begin() + static_cast<std::ptrdiff_t>(keep),
                    candidates_.end(), older);
  candidates_.resize(keep);
  std::ranges::reverse(candidates_);
}

}  // namespace weir::ingest
