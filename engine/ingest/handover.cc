#include "engine/ingest/handover.h"

#include <utility>

#include "storage/check.h"
#include "storage/event_codec.h"

namespace weir::ingest {

char* Handover::Reserve(std::size_t bytes) {
  char* place = slab_ != nullptr ? slab_->Reserve(bytes) : nullptr;
  if (place == nullptr) {
    slab_ = pool_->Take(bytes);  // a full one stays alive through the appends that are in it
    place = slab_->Reserve(bytes);
  }
  WEIR_CHECK(place != nullptr);
  return place;
}

std::size_t Handover::Add(const commit::Ticket& ticket, std::span<const storage::Event> events,
                          const Terms& terms) {
  WEIR_CHECK(!events.empty());
  const std::size_t first_bytes = storage::EncodedSize(events.front());
  std::size_t bytes = first_bytes;
  for (const storage::Event& event : events.subspan(1)) bytes += storage::EncodedSize(event);

  char* records = Reserve(bytes);
  char* place = records;
  for (const storage::Event& event : events) {
    storage::Encode(event, place);
    place += storage::EncodedSize(event);
  }
  WEIR_CHECK(place == records + bytes);

  added_.push_back({.ticket = ticket,
                    .shard = shard_,
                    .record_count = static_cast<std::uint16_t>(events.size()),
                    .first_record_bytes = static_cast<std::uint32_t>(first_bytes),
                    .dedupe_window_us = terms.dedupe_window_us,
                    .keep_conflicts = terms.keep_conflicts,
                    .instead_of = terms.instead_of,
                    .records = records,
                    .bytes = static_cast<std::uint32_t>(bytes),
                    .slab = slab_});
  added_bytes_ += bytes;
  return bytes;
}

std::span<const commit::Append> Handover::Push(std::int64_t now_ns) {
  if (added_.empty()) return {};
  for (commit::Append& append : added_) append.enqueued_ns = now_ns;
  refused_.clear();
  if (appends_.TryPush(producer_, added_)) {
    gate_.disk_budget_bytes.fetch_sub(static_cast<std::int64_t>(added_bytes_), std::memory_order_relaxed);
    added_.clear();
  } else {
    std::swap(added_, refused_);
  }
  added_bytes_ = 0;
  slab_.reset();  // pushed: the committer's to write from now on
  return refused_;
}

}  // namespace weir::ingest
