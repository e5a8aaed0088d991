// What an open store is made of; shared by the files that implement EventStore and by nobody else.
#pragma once

#include <rocksdb/snapshot.h>
#include <rocksdb/write_batch.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "storage/dedupe_index.h"
#include "storage/disk.h"
#include "storage/disk_watch.h"
#include "storage/event_store.h"
#include "storage/format_record.h"
#include "storage/high_water.h"
#include "storage/holes.h"
#include "storage/rocks.h"
#include "storage/salvage.h"
#include "storage/store_health.h"
#include "storage/timeline.h"
#include "storage/wal_disk.h"

namespace weir::storage {

// How much an open does about damage. Each is tried on the files as they were found.
enum class Mending : std::uint8_t {
  kNone,    // refuses
  kLog,     // passes over what is damaged in the write-ahead log
  kTables,  // makes the list of tables again (database_repair.h)
};

// What is given up where the log may be whole.
inline constexpr std::string_view kEndUnknown =
    "the knowledge of how far the log had come: events it may have lost at its end are not missed";

inline constexpr std::string_view kPriceOfLastRows =
    "what was settled last: it is delivered again, and retries and dead letters that were added last are "
    "gone";

struct EventStore::Parts {
  // `on` is the disk of `given`.
  Parts(const StoreOptions& given, std::shared_ptr<WalDisk> on)
      : options(given), health(given.on_trouble, given.on_failure), wal(std::move(on)) {}
  ~Parts() { wal->pool().Stop(); }
  Parts(const Parts&) = delete;
  Parts& operator=(const Parts&) = delete;

  const StoreOptions options;
  StoreHealth health;
  const std::shared_ptr<WalDisk> wal;
  std::unique_ptr<DiskLock> lock;  // first in, last out: members are destroyed in reverse
  std::unique_ptr<Rocks> rocks;
  std::unique_ptr<Salvage> salvage;
  std::unique_ptr<DedupeIndex> index;
  std::unique_ptr<HighWaterWriter> high_water;  // none when read only
  std::unique_ptr<DiskWatch> disk_watch;        // looks once when read only

  // Constant once open.
  FormatRecord format;
  std::vector<std::string> notes;
  bool lost_something = false;  // and the operator accepted it
  std::optional<Mending> next;  // what may open it, when Open has failed
  std::set<Family> broken;      // families with damaged tables, as found before `next` was tried
  // What `next` gives up, where it is not the audit that finds it.
  struct Accepted {
    std::string what;
    bool log_sound;          // and so its end is known
    bool lacks_log = false;  // as in DatabaseDamage
  };
  std::optional<Accepted> accepted;
  bool log_end_known = true;   // but for what high water says
  std::uint64_t found_at = 0;  // RocksDB's sequence number before anything was written to what was found
  Holes holes;
  Sequence named = kNoSequence;  // the largest sequence that something outside the log has named so far

  Timeline timeline;

  std::atomic<Sequence> first{kNoSequence};    // oldest event kept; kNoSequence while the log is empty
  std::atomic<Sequence> durable{kNoSequence};  // newest; written by the committer

  // The committer's own; the vectors only save their memory from group to group.
  std::uint64_t last_check = 0;
  rocksdb::WriteBatch batch;
  std::vector<Fingerprint> fingerprints;
  std::vector<Sequence> candidates;
  std::vector<std::size_t> stored;    // indices of the group's new records, in sequence order
  std::vector<std::size_t> inserted;  // their slots in the dedupe table

  std::atomic<std::int64_t> settlement_bytes{INT64_MAX};  // that may still be written
  std::atomic<std::int64_t> merge_bytes{INT64_MAX};       // that may be written to merge runs

  std::mutex dead_mutex;  // held across batches that change dead letters, or remove conflicts
  std::map<std::string, std::uint64_t, std::less<>> dead_counts;  // under dead_mutex

  std::atomic<std::uint64_t> conflicts{0};       // kept
  std::atomic<std::uint64_t> conflict_bytes{0};  // of their records

  std::mutex trim_mutex;  // one cut of the log at a time

  // The steps of Open, in order.
  StoreResult<void> Open(Mending mending);
  StoreResult<void> OpenDatabase(const std::optional<HighWaterRecord>& promised, Mending mending);
  StoreResult<void> OrderLogs(Mending mending);
  StoreResult<void> MakeTableListAnew();
  StoreResult<void> CheckSmallTables() const;
  StoreResult<void> AuditDatabase(const std::optional<HighWaterRecord>& promised, Mending mending);
  // After a damaged log was read past its damage (log_gap_filter.h).
  StoreResult<void> GoBackToWithheldPositions();
  StoreResult<void> MakeCopiesTheSame();
  StoreResult<void> LoadFormat(const std::optional<HighWaterRecord>& promised, Mending mending);
  StoreResult<void> AuditLog(Mending mending);
  StoreResult<void> LoadTime();
  StoreResult<void> AuditPromise(const std::optional<HighWaterRecord>& promised);
  StoreResult<void> AuditTableList(const TableListEnd& promised);
  StoreResult<void> AuditRowsAtEnd(const std::optional<HighWaterRecord>& promised, Mending mending);
  StoreResult<void> AuditPositions();
  // After a loss (accept_loss.cc): puts the log's end behind everything that names a sequence, with a hole before
  // it, and lets go of what refers into holes. `recorded` is what the database says of holes.
  StoreResult<void> GoOnBehindLoss(const std::optional<HighWaterRecord>& promised, const Holes& recorded);
  StoreResult<void> CountDead();
  StoreResult<void> CountConflicts();
  StoreResult<void> CountedSoFar(const StoreResult<void>& visited);
  StoreResult<Repeats> LoadRepeats(Sequence of) const;
  StoreResult<void> StartHighWater();
  // Under accept_data_loss: notes it and goes on. Otherwise: the error that names the way out and its price;
  // `gives_up` completes "It gives up …".
  StoreResult<void> Lost(std::string what, std::string_view gives_up);
  StoreError Refused(std::string_view what, std::string_view gives_up) const;
  StoreResult<Sequence> LargestNamed() const;
  StoreResult<void> LetGoOfHoles(rocksdb::WriteBatch& updates);

  StoreResult<Sequence> OldestNeeded(Sequence limit, std::span<const std::string> sinks) const;
  StoreResult<std::int64_t> ReceivedAt(Sequence sequence) const;
  // In low..end-1, the first event that `is_younger` says yes to, by halving; `end` if there is none.
  StoreResult<Sequence> FindFirst(
      Sequence low, Sequence end,
      const std::function<bool(Sequence, std::int64_t stamp_us)>& is_younger) const;
  StoreResult<Sequence> FirstReceivedAfter(std::int64_t at_us) const;  // in the store's time
  // A record that decodes and is the one its key says, out of a damaged table where it has to be; kNotFound where
  // there is none.
  StoreResult<std::string> SoundRecord(Sequence sequence) const;
  StoreResult<void> WriteCut(Sequence first_kept);
  StoreResult<void> WriteSettlement(rocksdb::WriteBatch& updates, bool adds);
  Fingerprint FingerprintFor(std::string_view identity) const;
  // DedupeIndex::ReadLog.
  StoreResult<void> VisitIdentities(
      Sequence from, Sequence to,
      const std::function<StoreResult<void>(const DedupeIndex::Indexed&)>& visit) const;
  StoreResult<void> Write(rocksdb::WriteBatch& updates, bool sync, std::string_view doing) const;
  // Calls `visit(key, value)` for every row whose key starts with `prefix`, in key order, until it returns
  // false.
  using VisitRow = std::function<StoreResult<bool>(std::string_view key, std::string_view value)>;
  StoreResult<void> VisitPrefix(Family family, std::string_view prefix, const VisitRow& visit,
                                const rocksdb::Snapshot* as_of = nullptr) const;
};

}  // namespace weir::storage
