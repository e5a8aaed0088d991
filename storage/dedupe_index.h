// Which stored events may have this fingerprint: the newest ones in a table (the head), tables waiting to be
// sealed, and sealed runs in the database. Derived from the log: what is in no run is read back from the
// log's tail at open.
//
//   head (memory) --full--> frozen (memory) --sealing thread--> run of 256 Ki --merge 8--> run of 2 Mi --merge 8--> …
//
// It answers with candidates; the caller confirms each against the record. A run goes as a whole when all its
// events are older than the largest dedupe window ever used, and runs are not merged across more than an
// eighth of that window, so the index holds at most 9/8 of a window.
//
// Derived as it is, damage to it costs time: a run that cannot be read is made anew from the log by the thread of the
// index; until that is done, Candidates fails for the fingerprints that are in its damaged part. Where the state or a
// header cannot be read, Open takes none of it, and the caller shows it the whole log again.
//
// Threads: the committer calls Candidates, Insert, Undo and MakeRoom while it holds the lock that Lock gives
// out; anybody else may call Candidates under that lock. Sealing and merging run on a thread of the index,
// which takes the lock only to swap finished runs in.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <thread>
#include <vector>

#include "storage/dedupe_table.h"
#include "storage/limits.h"
#include "storage/run_store.h"
#include "storage/store_health.h"

namespace weir::storage {

class DedupeIndex {
 public:
  struct Indexed {
    Fingerprint fingerprint;
    Sequence sequence;
    std::int64_t received_at_us;
    std::int64_t window_us;
  };
  // Shows every event of the log from `first` to `last`, in order; what cannot be read is passed by.
  using ReadLog = std::function<StoreResult<void>(
      Sequence first, Sequence last, const std::function<StoreResult<void>(const Indexed&)>& visit)>;

  struct Options {
    std::size_t head_events = limits::kDedupeHeadEvents;
    std::size_t filter_bytes_max = limits::kDedupeFilterBytesMax;
    bool read_only = false;
    StoreHealth* health = nullptr;  // outlives the index
    ReadLog read_log;               // called by Rederive, and on the thread of the index
    const std::atomic<std::int64_t>* merge_bytes = nullptr;  // what a merge may write; outlives the index
  };

  static StoreResult<std::unique_ptr<DedupeIndex>> Open(Rocks& rocks, const Options& options);
  ~DedupeIndex();
  DedupeIndex(const DedupeIndex&) = delete;
  DedupeIndex& operator=(const DedupeIndex&) = delete;

  // Whether Open found the index damaged, and holds nothing of it.
  bool lost() const { return lost_; }
  // A damaged one that is only read: covers nothing up to `through`.
  void DoWithout(Sequence through);

  // The newest event that is in a run. Those after it are to be inserted, in order, before the first commit;
  // `count` of them are coming.
  Sequence sealed_through() const { return state_.through; }
  void ExpectTail(std::uint64_t count);
  // Fewer entries than were sealed: a run is gone, and the events in it would be taken for new.
  bool RunsAreMissing() const { return runs_missing_; }
  // Drops every run, so that the whole log is the tail. Instead of StartSealing's thread, the caller seals while it
  // reads the log back: SealWhenFull before each insert.
  StoreResult<void> ForgetRuns();
  StoreResult<void> SealWhenFull();
  // Seals and merges from here on.
  std::expected<void, std::string> StartSealing();
  // Seals what is worth it and ends the thread. Only when all that was inserted is durable.
  void Close();

  [[nodiscard]] std::unique_lock<std::mutex> Lock() const { return std::unique_lock(mutex_); }

  // Starts to fetch what Candidates will look at.
  void Prefetch(Fingerprint fingerprint) const;
  // Appends the sequences of events that may have this fingerprint, in no order. An error: there may be more, in a
  // part that is damaged; what can be told is told.
  StoreResult<void> Candidates(Fingerprint fingerprint, std::vector<Sequence>& into) const;
  // Room for `count` inserts. kStalled: sealing is behind, the caller has to turn its events away.
  StoreResult<void> MakeRoom(std::size_t count);
  // Returns a slot for Undo; the last inserts are taken back in reverse order.
  std::size_t Insert(Fingerprint fingerprint, Sequence sequence);
  void Undo(std::size_t slot);
  // These inserts stay. `received` spans their events, `window_us` is the largest they came with.
  void Keep(Sequence last, const ReceivedSpan& received, std::int64_t window_us);

  struct Size {
    std::uint64_t entries_in_memory = 0;  // head and frozen
    std::uint64_t entries_sealed = 0;
    std::uint64_t runs = 0;
    std::uint64_t filter_bytes = 0;
  };
  Size MeasureSize() const;
  // The largest window ever used: what is older than this needs no confirming any more.
  std::int64_t window_us_max() const { return window_us_max_.load(std::memory_order_relaxed); }

 private:
  using RunPointer = std::shared_ptr<const DedupeRun>;
  struct Frozen {
    std::unique_ptr<DedupeTable> table;
    Sequence through;
    ReceivedSpan received;
  };

  DedupeIndex(Rocks& rocks, const Options& options);
  void Freeze();
  void Run(const std::stop_token& stop);
  StoreResult<void> SealOne(const Frozen& frozen);
  StoreResult<void> DropExpired(std::int64_t newest_us);
  StoreResult<bool> MergeOnce();
  std::vector<RunPointer> ReadableRuns() const;
  StoreResult<DedupeRun> WriteMerged(const std::vector<RunPointer>& parts);
  StoreResult<DedupeRun> WriteSorted(std::vector<DedupeTable::Entry> entries, const ReceivedSpan& received);
  // Runs over these events, a head each.
  struct Derived {
    RunPointer run;
    Sequence through;
  };
  StoreResult<std::vector<Derived>> ReadRuns(Sequence first, Sequence last);
  StoreResult<void> Rederive(const RunPointer& damaged);
  // Where the events of this run end in the log: before the next run's, if the runs' numbers of entries say so.
  Sequence EndOf(const DedupeRun& run) const;
  // Under the lock.
  void MarkDamaged(const DedupeRun& run, const StoreError& error) const;
  StoreResult<void> WorkOnce(const std::shared_ptr<const Frozen>& frozen, const RunPointer& damaged,
                             const std::stop_token& stop);
  // Swaps `replaced` for `added` in the set that lookups see, then lets go of the replaced blocks.
  StoreResult<void> Swap(const std::vector<RunPointer>& replaced, RunPointer added);
  std::uint64_t EntriesSealed() const;
  bool FilterFits(std::uint64_t entries) const;

  const Options options_;
  RunStore store_;
  DedupeState state_;  // the sealing thread's, once it runs

  mutable std::mutex mutex_;
  std::unique_ptr<DedupeTable> head_;  // under mutex_
  std::unique_ptr<DedupeTable>
      spare_;  // under mutex_: the next head, made ahead so that no commit waits for its pages
  std::deque<std::shared_ptr<const Frozen>> frozen_;  // under mutex_, oldest first
  std::vector<RunPointer> runs_;                      // under mutex_
  Sequence kept_through_ = kNoSequence;               // under mutex_
  ReceivedSpan head_received_;                        // under mutex_
  bool runs_missing_ = false;                         // when it was opened
  bool lost_ = false;                                 // likewise
  mutable std::set<std::uint64_t> damaged_;           // under mutex_: numbers of runs to be derived again
  mutable std::condition_variable_any work_;          // with mutex_: something was frozen, or found damaged
  std::atomic<std::int64_t> window_us_max_{0};
  std::jthread thread_;
};

}  // namespace weir::storage
