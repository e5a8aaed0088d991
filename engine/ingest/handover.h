// What one turn hands to the committer: events encoded once into a slab, pushed together with one wake. All
// or none goes: when the committer is too far behind, every request of the turn is refused.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "engine/commit/queues.h"
#include "engine/ingest/gate.h"
#include "engine/ingest/slab_pool.h"
#include "storage/event.h"

namespace weir::ingest {

class Handover {
 public:
  Handover(std::uint16_t shard, commit::AppendQueue& appends, Gate& gate)
      : shard_(shard),
        appends_(appends),
        producer_(appends.MakeProducer()),
        gate_(gate),
        pool_(SlabPool::Create()) {}

  // What the store is to make of ids it knows.
  struct Terms {
    std::int64_t dedupe_window_us = 0;
    bool keep_conflicts = true;
    std::optional<storage::Superseded> instead_of = {};
  };
  // Encodes the events of one request; they are committed together. Returns how many bytes they take.
  std::size_t Add(const commit::Ticket& ticket, std::span<const storage::Event> events, const Terms& terms);

  // Hands over what was added. Empty when it went through; else the tickets that are to be refused, valid
  // until the next Add.
  std::span<const commit::Append> Push(std::int64_t now_ns);

  // Bytes added and not yet pushed: the disk budget does not know of them.
  std::size_t added_bytes() const { return added_bytes_; }
  std::int64_t appends_waiting() const {
    return appends_.waiting() + static_cast<std::int64_t>(added_.size());
  }

 private:
  char* Reserve(std::size_t bytes);

  std::uint16_t shard_;
  commit::AppendQueue& appends_;
  commit::AppendQueue::Producer producer_;
  Gate& gate_;
  std::shared_ptr<SlabPool> pool_;
  std::shared_ptr<commit::Slab> slab_;  // ours to write until it is pushed
  std::vector<commit::Append> added_;
  std::vector<commit::Append> refused_;
  std::size_t added_bytes_ = 0;
};

}  // namespace weir::ingest
