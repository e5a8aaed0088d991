// The one class the engine sees of the durable truth. Everything below it is RocksDB and stays in storage/.
//
// Threads: Commit is called by the committer only. Everything else may be called from any thread.
// A store is open in one process at a time (RocksDB's LOCK file); a second Open fails with kLocked.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "storage/clock.h"
#include "storage/disk.h"
#include "storage/event.h"

namespace weir::storage {

enum class StoreErrorCode : std::uint8_t {
  kLocked,      // another process has this store open
  kFormat,      // not a weir store, or of a version this build does not read
  kDataLoss,    // the audit found a gap, or less than the high-water record promises
  kCorruption,  // bytes on disk fail their checksum
  kIo,          // the disk said no; after a failed sync the store refuses all further commits
  kStalled,     // RocksDB asks writers to wait (compaction behind); nothing was written
  kNotFound,
};

struct StoreError {
  StoreErrorCode code;
  std::string message;              // what, where, and what to do about it
  Sequence sequence = kNoSequence;  // of the event that cannot be read, where it is about one
};

template <typename T>
using StoreResult = std::expected<T, StoreError>;

// What one of the store's own threads has met and goes on from by itself. While it lasts, commits may be refused
// (kStalled).
struct StoreTrouble {
  enum class Part : std::uint8_t {
    kHighWater,   // the record of how far the log has come is behind: commits are refused until it is not
    kDedupe,      // a run cannot be sealed or merged: commits are refused once memory for that is used up
    kCompaction,  // files cannot be merged: their space does not come back
    kDamage,      // something that is stored cannot be read
    kAccess,      // others may read what is stored
    kTrash,       // a deleted file's space does not come back
    kLog,         // the write-ahead log's files cannot be made ready ahead of need: commits take longer
  };
  static constexpr std::size_t kParts = 7;
  Part part;
  std::string message;  // empty: it is over
};
std::string_view TroublePartName(StoreTrouble::Part part);  // "high_water"

struct StoreOptions {
  std::filesystem::path directory;
  std::shared_ptr<Disk> disk = MachineDisk();  // on which the directory is
  bool read_only = false;                      // for offline operator commands
  bool create_if_missing = true;
  bool rebuild_dedupe = false;    // make the dedupe index anew from the log, whatever state it is in
  bool accept_data_loss = false;  // open although the audit found a gap; the gap is logged and recorded
  bool sync = true;               // false for [server] ack = "os": written, not synced
  Uptime uptime = {};             // when it is opened; without it no time counts as passed since the last run
  std::size_t memtable_bytes = 64u << 20;
  // Events remembered in memory before they are sealed into a sorted run; 32 bytes each.
  std::size_t dedupe_head_events = 256u << 10;
  // Of the 64-bit fingerprint dedupe compares first. Fewer only mean more confirming reads.
  unsigned dedupe_fingerprint_bits = 64;
  // Both may be empty. Called on whichever thread met it, which may be one of RocksDB's: briefly, and without a call
  // back into the store. A trouble is told when it begins and when it is over, a failure once: after it nothing is
  // committed any more.
  std::function<void(const StoreTrouble&)> on_trouble = nullptr;
  std::function<void(const StoreError&)> on_failure = nullptr;
};

// Free space the store may still need after commits and settlements have stopped, in memtables of events: three of
// events, as much as one for dedupe, one and a quarter for the small families together, two for the files of a small
// family that are being merged (rocks.cc bounds them) and are there twice meanwhile, and what RocksDB writes about itself.
// Whoever writes has to stop above this: RocksDB as Debian builds it aborts on a full disk.
inline constexpr std::uint64_t kMemtablesUnderFloor = 8;

// What an operator's new event takes the place of. It goes in the same batch, and nothing is stored once it has gone.
struct Superseded {
  // The event of a dead letter of kIngestSink; with `conflict`, the stored event of a kept conflict.
  Sequence sequence = kNoSequence;
  std::optional<std::uint64_t> conflict = {};  // its hash
};

// One event's place in a commit. The record was made by Encode; Commit seals it in place.
struct AppendRecord {
  char* record;
  std::size_t size;
  std::int64_t
      dedupe_window_us;       // an earlier event with this id counts as a duplicate if it is at most this old
  bool keep_conflict = true;  // false: the sender, or whoever it is, is told, so that nothing has to be kept
  std::optional<Superseded> instead_of = {};
};

enum class AppendOutcome : std::uint8_t {
  kStored,           // new: durable under `sequence`
  kDuplicate,        // the id is already stored under `sequence`, and it is the same event
  kConflict,         // the id is already stored under `sequence` with other bytes
  kConflictNotKept,  // likewise, and as many conflicts are kept as there is room for: the bytes are gone
  kSuperseded,       // what it should have taken the place of is not there any more; nothing was stored
  kUnreadable,  // nothing was stored: what would say whether the id is new is damaged, the event at `sequence`
                // or (kNoSequence) a part of the dedupe index
};

struct AppendResult {
  AppendOutcome outcome;
  Sequence sequence;
};

// --- What delivery keeps -----------------------------------------------------------------------------------

struct RetryEntry {
  Sequence sequence;
  std::int64_t due_us;       // Unix time, microseconds
  std::uint32_t attempts;    // attempts made so far
  std::string last_outcome;  // short, for the operator: "503", "timeout", "connection refused"
  // When that was decided, by the same clock: due_us - scheduled_at_us is the delay that was meant, which no clock
  // set in between can lengthen. 0: written by a build that did not keep it.
  std::int64_t scheduled_at_us = 0;
};

struct DeadLetter {
  std::string sink;  // kIngestSink when the event never became deliverable
  Sequence sequence;
  std::int64_t died_at_us;
  std::uint32_t attempts;
  std::string reason;       // short code: "attempts_exhausted", "410", "malformed: no event id at /id"
  std::string last_answer;  // first bytes of the sink's last answer; empty if there was none
};
inline constexpr std::string_view kIngestSink = "-";

// What came again under a stored event's id and was the same event: how often, the highest count of attempts its
// sender gave, and when last. Written without a sync of its own.
struct Repeats {
  std::uint64_t count = 0;
  std::uint32_t attempt = 0;    // 0: the sender counts none
  std::int64_t last_at_us = 0;  // Unix time, microseconds
};

// A sink's place in the log. Everything at or below `offset` is settled, dead, or in the retry schedule;
// `above` lists the settled sequences past it, ascending.
struct SinkPosition {
  Sequence offset = kNoSequence;
  std::vector<Sequence> above;
  // The first sequence that was meant for it; kNoSequence: every one.
  Sequence began = kNoSequence;
};

// Where a sink begins that has no position: everything at or below `offset` is not meant for it.
struct SinkBeginning {
  std::string sink;
  Sequence offset = kNoSequence;
};

// One atomic step of a sink. Written without a sync of its own: what is lost with a crash is delivered again.
// Retries, dead letters and the position are one batch, so the offset never passes an event whose fate is not
// written.
struct SettlementBatch {
  std::string_view sink;
  std::optional<SinkPosition> position;
  std::vector<RetryEntry> retries_added;
  std::vector<std::pair<std::int64_t, Sequence>> retries_removed;  // (due_us, sequence)
  std::vector<DeadLetter> dead_added;
  std::vector<Sequence> dead_removed;  // of this sink
};

// Walks the log from a sequence. Sees everything committed when it was made or last refreshed.
//
// Usable for as long as the store is open: after nullopt a later Next sees what was committed in between. It
// copies a few hundred KiB at a time and holds no snapshot, so that an idle reader pins neither files nor
// memtables.
class LogReader {
 public:
  LogReader(LogReader&&) noexcept;
  LogReader& operator=(LogReader&&) noexcept;
  ~LogReader();
  // The next event, or nullopt at the end of the log. The views live until the next call. A gap, a bad
  // checksum or an unreadable block is an error, never a silent end: RocksDB's iterator stops early on
  // corruption and only says so in its status.
  StoreResult<std::optional<Event>> Next();

 private:
  friend class EventStore;
  struct Walk;
  explicit LogReader(std::unique_ptr<Walk> walk);
  std::unique_ptr<Walk> walk_;
};

// What the store's disk said last, by a thread that looks every limits::kDiskLookEvery.
struct DiskReading {
  std::uint64_t free_bytes = 0;  // that may still be written
  std::uint64_t store_bytes =
      0;  // of the database's files, those included that wait to be used or given back
  std::int64_t monotonic_ms = 0;  // when it was asked; 0: it has never answered
};

// The files that the write-ahead log is kept in (docs/format.md), since the store was opened.
struct LogSegments {
  std::uint64_t ready = 0;       // written before, and waiting to be taken
  std::uint64_t prewritten = 0;  // taken; of those that were ready
  std::uint64_t grown =
      0;  // taken though none was ready: they grow with what is written, and syncs take longer
  // Whether the file system says that what is ready lies in blocks of its own: writing to it needs no room then.
  bool room_is_taken = true;
};

struct StoreStatistics {
  Sequence first_sequence = kNoSequence;  // oldest event still kept
  Sequence last_sequence = kNoSequence;   // newest durable event
  DiskReading disk;
  std::uint64_t dedupe_entries_in_memory = 0;
  std::uint64_t dedupe_entries_sealed = 0;
  std::uint64_t dedupe_runs = 0;
  std::uint64_t dedupe_filter_bytes = 0;  // in memory, for the sealed entries
  std::uint64_t conflicts = 0;            // kept, see VisitConflicts; at most limits::kConflictsMax
  bool write_stopped = false;
  LogSegments segments;
  std::vector<StoreTrouble> troubles;                                // that last
  std::array<std::uint64_t, StoreTrouble::kParts> trouble_counts{};  // errors met, by part
};

// The machine's clock against what was seen to pass, since the store was opened.
struct ClockSteps {
  std::uint64_t count = 0;   // how often it was set by more than limits::kClockStepUs
  std::int64_t last_us = 0;  // by how much the last time; negative: back
};

class EventStore {
 public:
  // Recovers, audits (gapless log, high-water record, chain of the tail), and rebuilds the dedupe table's
  // head. A refused open leaves the directory as it was.
  static StoreResult<std::unique_ptr<EventStore>> Open(const StoreOptions& options);
  ~EventStore();  // Writes an exact high-water record, marked as a clean end.

  // What Open had to put up with, for the operator: losses it was told to accept, and an end of the log that was never
  // synced. Empty for a sound store.
  const std::vector<std::string>& notes() const;

  // The clocks as they are now: what dedupe windows and retention are counted by (timeline.h). The owners of threads
  // that commit or forget say so before they do; until somebody has, received times are believed. Any thread.
  void Tell(const Clocks& clocks);
  // Writes down how far the log is now, without a sync; to be called about once a minute. Any thread; after Tell.
  StoreResult<void> MarkTime();
  ClockSteps StepsOfClock() const;

  // Dedupe, sequence, append, counters: one WriteBatch, one sync. On success `results[i]` says what became of
  // `records[i]` and everything reported is durable, duplicates included. On kIo nothing may be acked, ever
  // again. A record identical in (source, id) to an earlier one of the same call is its duplicate. Damage that is
  // met on the way costs the records that need what is damaged (kUnreadable), and no others.
  StoreResult<void> Commit(std::span<AppendRecord> records, std::span<AppendResult> results);

  Sequence first_sequence() const;  // the oldest event still kept; kNoSequence while the log is empty
  Sequence last_sequence() const;   // durable
  StoreResult<std::string> ReadRecord(Sequence sequence) const;  // sealed bytes for Decode
  StoreResult<Sequence> Find(std::string_view source, std::string_view id) const;
  LogReader ReadFrom(Sequence first) const;
  // How many events are kept from `first` on; reads none of them.
  std::uint64_t CountFrom(Sequence first) const;

  StoreResult<SinkPosition> LoadPosition(std::string_view sink) const;
  StoreResult<std::vector<RetryEntry>> LoadRetries(std::string_view sink) const;
  // kStalled where there is no room on the disk: nothing was written, and may be later.
  StoreResult<void> Settle(const SettlementBatch& batch);
  // What Settle may write until this is said again. At first there is no bound. Any thread.
  void AllowSettlements(std::int64_t bytes);
  // Likewise, how large the runs of the dedupe index may be that are merged at once: they are there twice meanwhile.
  void AllowMerges(std::int64_t bytes);
  // Gives sinks their first positions, all or none. Synced: a sink that is said to begin here begins here after a
  // crash too.
  StoreResult<void> BeginSinks(std::span<const SinkBeginning> beginnings);
  // Calls `visit` in (sink, sequence) order until it returns false.
  StoreResult<void> VisitDeadLetters(std::string_view sink_or_empty,
                                     const std::function<bool(const DeadLetter&)>& visit) const;
  StoreResult<std::uint64_t> CountDeadLetters(std::string_view sink) const;
  StoreResult<std::vector<std::string>> SinkNames() const;  // sinks with a stored position

  // Newcomers that came under the id of a stored event with other bytes, in order of that event's sequence; `hash`
  // tells those of one event apart. Bounded (limits.h): past it they are kConflictNotKept.
  StoreResult<void> VisitConflicts(
      const std::function<bool(Sequence stored, std::uint64_t hash, const Event& newcomer)>& visit) const;
  // The newcomer's record, for Decode. kNotFound.
  StoreResult<std::string> ReadConflict(Sequence stored, std::uint64_t hash) const;
  // kNotFound when it is not there. Makes room for another.
  StoreResult<void> DropConflict(Sequence stored, std::uint64_t hash);
  StoreResult<Repeats> LoadRepeats(Sequence stored) const;

  // The first event received at or after `unix_us`, past the end if there is none. Order of receipt is log
  // order but for what events wait for their commits and what clocks are set back.
  StoreResult<Sequence> FirstReceivedSince(std::int64_t unix_us) const;

  // The first event that may have been received within the last `age_us`, past the end if there is none.
  StoreResult<Sequence> FirstYoungerThan(std::int64_t age_us) const;

  // Forgets events before `first_kept`, but none that a dedupe window or a dead letter still needs, that one
  // of `sinks` has not settled or tries again, and never the newest. A sink without a stored position has
  // settled nothing; sinks that are not named hold nothing back. Conflicts go with their event. Returns the
  // new oldest sequence. Disk space comes back by whole files. Any thread; slow.
  StoreResult<Sequence> TrimBefore(Sequence first_kept, std::span<const std::string> sinks);

  // Small named texts that must outlive the process (routes of the last run, export cursors). Not for events.
  StoreResult<std::string> GetMeta(std::string_view key) const;
  StoreResult<void> PutMeta(std::string_view key, std::string_view value);

  StoreStatistics Statistics() const;
  // Any thread; never waits for the disk.
  DiskReading LastDiskReading() const;

 private:
  friend class LogReader;
  friend class GroupCommit;  // one call of Commit
  struct Parts;
  explicit EventStore(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace weir::storage
