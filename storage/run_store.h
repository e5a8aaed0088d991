// Sealed parts of the dedupe index in the database: immutable runs of (fingerprint, sequence), each with a
// filter that is kept in memory. The layout, and why it is not one key an entry, stands at the top of
// run_store.cc.
#pragma once

#include <rocksdb/iterator.h>
#include <rocksdb/write_batch.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "storage/dedupe_filter.h"
#include "storage/dedupe_table.h"
#include "storage/rocks.h"

namespace weir::storage {

// When the events of a run, or of a table on its way to one, were received: in the store's time (timeline.h).
struct ReceivedSpan {
  std::int64_t oldest_us = INT64_MAX;
  std::int64_t newest_us = INT64_MIN;
  void Add(std::int64_t at_us) {
    if (at_us < oldest_us) oldest_us = at_us;
    if (at_us > newest_us) newest_us = at_us;
  }
  void Add(const ReceivedSpan& other) {
    Add(other.oldest_us);
    Add(other.newest_us);
  }
};

struct DedupeRun {
  std::uint64_t number = 0;  // never given out twice
  std::uint64_t entries = 0;
  std::uint32_t block_bits = 0;  // 2^block_bits blocks, by the fingerprint's upper bits
  Sequence base = kNoSequence;   // smallest sequence; entries store the distance to it
  ReceivedSpan received;
  DedupeFilter filter;  // empty: past the memory bound, read instead
};

// What the runs together stand for.
struct DedupeState {
  Sequence through = kNoSequence;  // every event up to here is in a run, or its window has passed
  std::uint64_t next_run = 1;
  std::optional<std::uint64_t> entries =
      {};                          // of all runs: fewer mean that some are gone. Not told by version 1
  std::int64_t window_us_max = 0;  // the largest dedupe window ever committed with: runs older than that go
};

class RunStore {
 public:
  explicit RunStore(Rocks& rocks) : rocks_(rocks) {}

  StoreResult<DedupeState> LoadState() const;
  StoreResult<std::vector<std::shared_ptr<const DedupeRun>>> LoadRuns() const;
  // Removes what an unfinished write or removal left behind: everything of runs that are not in `runs`.
  StoreResult<void> RemoveOrphans(const std::vector<std::shared_ptr<const DedupeRun>>& runs);

  // Everything goes, whatever is wrong with it.
  StoreResult<void> Clear() { return rocks_.Reset(Family::kDedupe); }

  // Appends the sequences of this fingerprint's entries.
  StoreResult<void> Lookup(const DedupeRun& run, Fingerprint fingerprint, std::vector<Sequence>& into) const;

  // Makes a finished run visible together with the state and without `replaced`; one batch.
  StoreResult<void> Publish(const DedupeRun& run, const DedupeState& state,
                            const std::vector<std::shared_ptr<const DedupeRun>>& replaced);
  StoreResult<void> PutState(const DedupeState& state,
                             const std::vector<std::shared_ptr<const DedupeRun>>& dropped);
  // The blocks of a run nobody can look into any more.
  StoreResult<void> RemoveBlocks(const DedupeRun& run);

 private:
  friend class RunWriter;
  friend class RunCursor;
  StoreResult<DedupeRun> LoadRun(std::uint64_t number, std::string_view key, std::string_view header) const;
  StoreResult<void> Write(rocksdb::WriteBatch& updates);
  Rocks& rocks_;
};

// Writes one run from entries in ascending order of fingerprint. Nothing of it is visible before
// RunStore::Publish.
class RunWriter {
 public:
  // kStalled where a run of all of `parts` would take more of the disk while it is written than `bytes`.
  static StoreResult<void> CheckRoom(const std::vector<std::shared_ptr<const DedupeRun>>& parts,
                                     std::int64_t bytes);
  // `base`: no entry has a smaller sequence.
  RunWriter(RunStore& store, std::uint64_t number, std::uint64_t entries, Sequence base, bool with_filter);
  StoreResult<void> Add(const DedupeTable::Entry& entry);
  StoreResult<DedupeRun> Finish(const ReceivedSpan& received);

 private:
  StoreResult<void> EndBlock();

  RunStore& store_;
  DedupeRun run_;
  std::uint64_t added_ = 0;
  std::uint32_t block_ = 0;
  std::string packed_;
  rocksdb::WriteBatch batch_;
};

// Reads a run's entries in ascending order of fingerprint.
class RunCursor {
 public:
  RunCursor(const RunStore& store, std::shared_ptr<const DedupeRun> run);
  RunCursor(const RunCursor&) = delete;  // the database holds a pointer to end_
  RunCursor& operator=(const RunCursor&) = delete;
  // The next entry without taking it; nullopt at the end.
  StoreResult<std::optional<DedupeTable::Entry>> Peek();
  void Take() { ++index_; }
  const DedupeRun& run() const { return *run_; }

 private:
  std::shared_ptr<const DedupeRun> run_;
  std::string end_key_;
  rocksdb::Slice end_;
  std::unique_ptr<rocksdb::Iterator> rows_;
  std::vector<DedupeTable::Entry> block_;
  std::size_t index_ = 0;
};

}  // namespace weir::storage
