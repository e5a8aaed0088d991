// Between what is durable here and what its sender is told: holds the answer to a request until all it rests on is durable
// enough. That is the case at once while one machine keeps the log; the committer says how far it is.
//
// The committer's thread.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/commit/append.h"
#include "engine/commit/queues.h"
#include "storage/event.h"

namespace weir::commit {

class Acknowledger {
 public:
  explicit Acknowledger(std::vector<AckQueue*> shards);  // by Append::shard

  // In the order of the commits.
  void Hold(std::uint16_t shard, Committed answer);
  // The log is durable enough up to `durable`, which only grows: posts every answer that rests on nothing behind it, all of
  // a shard's at once.
  void Release(storage::Sequence durable);
  bool holds_any() const;

 private:
  std::vector<AckQueue*> shards_;
  std::vector<std::vector<Committed>> held_;  // by shard
  std::vector<Committed> posted_;             // only saves its memory
  storage::Sequence durable_ = storage::kNoSequence;
};

}  // namespace weir::commit
