#include "engine/connection_watch.h"

namespace weir {
namespace {

constexpr std::int64_t kBetweenLinesMs = 10'000;

}  // namespace

std::optional<ConnectionWatch::Totals> ConnectionWatch::Look(const Totals& totals, std::int64_t now_ms) {
  if (totals == said_ || now_ms < next_ms_) return std::nullopt;
  const Totals since{.limit = totals.limit - said_.limit,
                     .descriptors = totals.descriptors - said_.descriptors,
                     .displaced = totals.displaced - said_.displaced};
  said_ = totals;
  next_ms_ = now_ms + kBetweenLinesMs;
  return since;
}

}  // namespace weir
