// One shard's part of Gate::inflight_bytes: bytes of requests that arrive in pieces, and of events that wait
// for their commit. Counted here without an atomic and published once a turn.
#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/ingest/gate.h"

namespace weir::ingest {

class InflightBytes {
 public:
  explicit InflightBytes(Gate& gate) : gate_(gate) {}

  void Charge(std::size_t bytes) { unpublished_ += static_cast<std::int64_t>(bytes); }
  void Refund(std::size_t bytes) { unpublished_ -= static_cast<std::int64_t>(bytes); }
  // Of all shards, as far as they have published.
  std::int64_t Current() const { return gate_.inflight_bytes.load(std::memory_order_relaxed) + unpublished_; }
  void Publish() {
    if (unpublished_ == 0) return;
    gate_.inflight_bytes.fetch_add(unpublished_, std::memory_order_relaxed);
    unpublished_ = 0;
  }

 private:
  Gate& gate_;
  std::int64_t unpublished_ = 0;
};

}  // namespace weir::ingest
