#include "storage/dedupe_merge.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "storage/limits.h"

namespace weir::storage {
namespace {

using RunPointer = std::shared_ptr<const DedupeRun>;

// A run is merged with others of its tier: as many times the head's size, in powers of the merge width.
std::uint32_t TierOf(std::uint64_t entries, std::size_t head_events) {
  std::uint32_t tier = 0;
  for (std::uint64_t size = head_events; entries > size; size *= limits::kDedupeRunsPerMerge) ++tier;
  return tier;
}

}  // namespace

std::vector<RunPointer> ChooseMerge(std::vector<RunPointer> runs, const DedupeState& state,
                                    std::size_t head_events) {
  const auto tier = [head_events](const RunPointer& run) { return TierOf(run->entries, head_events); };
  std::sort(runs.begin(), runs.end(), [&](const RunPointer& a, const RunPointer& b) {
    return std::pair(tier(a), a->received.oldest_us) < std::pair(tier(b), b->received.oldest_us);
  });
  const std::int64_t span_us_max = state.window_us_max / 8;
  for (std::size_t begin = 0; begin < runs.size(); ++begin) {
    ReceivedSpan span;
    Sequence base = runs[begin]->base;
    std::vector<RunPointer> chosen;
    bool bucket_closed = false;
    for (std::size_t i = begin; i < runs.size() && tier(runs[i]) == tier(runs[begin]); ++i) {
      ReceivedSpan wider = span;
      wider.Add(runs[i]->received);
      base = std::min(base, runs[i]->base);
      // Entries hold 32-bit distances to the base, and no run is that large.
      if (wider.newest_us - wider.oldest_us > span_us_max || state.through - base > UINT32_MAX) {
        bucket_closed = true;
        break;
      }
      span = wider;
      chosen.push_back(runs[i]);
      if (chosen.size() == limits::kDedupeRunsPerMerge) return chosen;
    }
    if (bucket_closed && chosen.size() > 1) return chosen;
  }
  return {};
}

}  // namespace weir::storage
