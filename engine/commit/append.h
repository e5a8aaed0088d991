// The hand-over types between a shard and the committer, and between the committer and delivery.
//
//   shard --Append--> committer --Committed--> the same shard      (the one return edge)
//                               --CommittedGroup--> delivery       (a cache of the log's tail, never its truth)
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "storage/event.h"
#include "storage/event_store.h"

namespace weir::commit {

// Encoded records a shard hands over together. Written by the shard until its first Append is enqueued, then
// only by the committer (sealing), then read-only. Freed or recycled when the last reference goes.
class Slab {
 public:
  explicit Slab(std::size_t capacity) : bytes_(new char[capacity]), capacity_(capacity) {}

  // Room for `size` bytes, or nullptr when they do not fit.
  char* Reserve(std::size_t size) {
    if (capacity_ - used_ < size) return nullptr;
    char* place = bytes_.get() + used_;
    used_ += size;
    return place;
  }
  void Clear() { used_ = 0; }
  std::size_t used() const { return used_; }
  std::size_t capacity() const { return capacity_; }

 private:
  std::unique_ptr<char[]> bytes_;
  std::size_t capacity_;
  std::size_t used_ = 0;
};

// Which request of which connection waits. Opaque to the committer, which hands it back unchanged.
struct Ticket {
  std::uint32_t slot = 0;
  std::uint32_t generation = 0;
  std::uint32_t request = 0;
};

// One request's events: `record_count` encoded records, back to back from `records`. They are committed in
// one batch.
struct Append {
  Ticket ticket;
  std::uint16_t shard = 0;
  std::uint16_t record_count = 1;
  std::uint32_t first_record_bytes =
      0;  // size of the first record; further records follow with their own lengths
  std::int64_t dedupe_window_us = 0;
  bool keep_conflicts = true;  // false: whoever sends is told, so that nothing has to be kept
  std::optional<storage::Superseded> instead_of = {};  // of a request with one record
  char* records = nullptr;                             // inside *slab
  std::uint32_t bytes = 0;                             // all records together
  std::int64_t enqueued_ns = 0;                        // CLOCK_MONOTONIC, for weir_commit_wait_seconds
  std::shared_ptr<Slab> slab;
};

enum class CommitOutcome : std::uint8_t {
  kStored,
  kDuplicate,   // durable already, under `sequence`
  kConflict,    // same id as the event of `sequence`, other bytes
  kSuperseded,  // what it should have taken the place of is gone; nothing was stored
  // Not stored and not acked, or not all of it: the store is stalled, the disk is full, a sync failed, or an
  // event that would be its duplicate cannot be read -> 503
  kUnavailable,
};

// What became of one event of a request.
struct EventResult {
  CommitOutcome outcome = CommitOutcome::kUnavailable;
  storage::Sequence sequence =
      storage::kNoSequence;  // as CommitOutcome says; kNoSequence where nothing is stored
};

struct Committed {
  Ticket ticket;
  // Not all of the request is durable: it is answered 503 and comes again, whatever became of parts of it.
  bool unavailable = true;
  // The largest sequence among the results: the answer rests on the log up to here, a duplicate's on its first copy.
  storage::Sequence rests_on = storage::kNoSequence;
  EventResult first;
  std::vector<EventResult> further = {};  // of a batch's other events, in their order

  std::size_t Count(CommitOutcome outcome) const {
    std::size_t count = first.outcome == outcome ? 1 : 0;
    for (const EventResult& result : further) count += result.outcome == outcome ? 1 : 0;
    return count;
  }
};

// The new events of one commit, in sequence order, for delivery workers.
struct CommittedGroup {
  storage::Sequence first = storage::kNoSequence;
  struct Record {
    const char* bytes;  // sealed; storage::Peek reads it
    std::size_t size;
  };
  std::vector<Record> records;               // records[i] has sequence first + i
  std::vector<std::shared_ptr<Slab>> slabs;  // keep the bytes alive
  std::size_t bytes = 0;
};

}  // namespace weir::commit
