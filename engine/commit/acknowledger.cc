#include "engine/commit/acknowledger.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "storage/check.h"

namespace weir::commit {

Acknowledger::Acknowledger(std::vector<AckQueue*> shards)
    : shards_(std::move(shards)), held_(shards_.size()) {}

void Acknowledger::Hold(std::uint16_t shard, Committed answer) {
  WEIR_CHECK_LT(shard, held_.size());
  held_[shard].push_back(std::move(answer));
}

void Acknowledger::Release(storage::Sequence durable) {
  WEIR_CHECK_GE(durable, durable_);
  durable_ = durable;
  for (std::size_t shard = 0; shard < held_.size(); ++shard) {
    std::vector<Committed>& held = held_[shard];
    const auto waits = [durable](const Committed& answer) { return answer.rests_on > durable; };
    const auto kept = std::ranges::stable_partition(held, waits);
    if (kept.empty()) continue;
    for (const Committed& answer : kept) WEIR_CHECK_LE(answer.rests_on, durable);
    posted_.assign(std::make_move_iterator(kept.begin()), std::make_move_iterator(kept.end()));
    held.erase(kept.begin(), kept.end());
    shards_[shard]->Push(posted_);
    posted_.clear();
  }
}

bool Acknowledger::holds_any() const {
  return std::ranges::any_of(held_, [](const auto& held) { return !held.empty(); });
}

}  // namespace weir::commit
